"""The row store: what was paid for, in segments and journals, in a folder or at a URL."""
