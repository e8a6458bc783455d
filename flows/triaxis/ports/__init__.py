"""What the steps need from the world, as protocols."""
