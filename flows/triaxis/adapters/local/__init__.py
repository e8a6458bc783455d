"""Models that are served on this machine, by a child process each."""
