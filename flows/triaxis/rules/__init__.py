"""Pure policy over domain values: how a number is scored, tallied, priced, measured and gated."""
