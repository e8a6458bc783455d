"""The world behind the ports: one vendor a file."""
