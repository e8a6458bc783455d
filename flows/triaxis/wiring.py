"""Settings to adapters behind ports, as one frozen value."""
