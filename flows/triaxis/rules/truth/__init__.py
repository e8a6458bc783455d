"""Ground truth: as a table, as a sample, and as outputs that exist already."""
