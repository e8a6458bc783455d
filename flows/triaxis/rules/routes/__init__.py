"""Which arm answers a case, what its mistakes cost, and what else could have been done."""
