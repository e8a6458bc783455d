"""A scorecard as pages, terminals and other programs show it."""
