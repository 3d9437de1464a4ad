"""End models."""
