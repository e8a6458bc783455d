"""Probes: when what is sent, and what a block of it says."""
