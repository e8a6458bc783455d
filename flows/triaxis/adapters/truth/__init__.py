"""Great Expectations."""
