"""What is known: the state types of every node and the table that holds them."""
