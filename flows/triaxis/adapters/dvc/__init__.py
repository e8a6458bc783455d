"""DVC: its files as text, its checksums, and its library where something is committed."""
