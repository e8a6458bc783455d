"""Pure statistics: arrays in, estimates out; a random generator is always an argument."""
