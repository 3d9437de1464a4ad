"""What looks for drift."""
