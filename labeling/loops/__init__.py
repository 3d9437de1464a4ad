"""What to ask, and when to stop."""
