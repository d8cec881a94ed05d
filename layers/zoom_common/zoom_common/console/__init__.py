"""What an operator sees of a whole stack: ids, states and counts of every tenant; never a token, address or body."""
