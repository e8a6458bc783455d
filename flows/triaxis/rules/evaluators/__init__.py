"""How an answer is scored in one dimension."""
