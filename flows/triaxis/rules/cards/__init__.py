"""A scorecard as the JSON value of scorecard.json, out and in."""
