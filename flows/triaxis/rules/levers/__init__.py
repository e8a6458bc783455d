"""What each lever did, what levers do to each other, and whether each did the one thing it is pulled for."""
