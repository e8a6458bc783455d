"""Evidence as files, and which of it is up to date."""
