"""When a loop is done, and when it will be."""
