"""A project as frames and arrays."""
