"""A loop against known labels."""
