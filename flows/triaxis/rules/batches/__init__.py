"""Provider batches: who takes them, in which lines, and what their endings mean."""
