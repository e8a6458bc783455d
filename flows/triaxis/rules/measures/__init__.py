"""From rows to measures: precision, latency and cost of a variant, and its differences to another."""
