"""Triaxis decides, on evidence, which LLM setup to ship."""

__version__ = "0.1.0"
