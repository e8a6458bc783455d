"""The door: the user's files are read and checked here, and nowhere else."""
