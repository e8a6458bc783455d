"""Verdicts: objectives, comparisons, and what stands beside them."""
