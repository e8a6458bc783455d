"""Triaxis decides, on evidence, which LLM setup to ship."""
