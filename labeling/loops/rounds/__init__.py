"""One round of learning, shared by loops and simulation."""
