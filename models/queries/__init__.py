"""What is read, by concept: sources, orders and conditions."""
