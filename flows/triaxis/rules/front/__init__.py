"""The Pareto front, how sure it is, and which weights make which variant win."""
