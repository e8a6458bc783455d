"""Batches behind their port: one way to reach a provider a file, and the book of what is on its way."""
