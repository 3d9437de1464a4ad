"""What keeps databases in order: copies, checks, repairs."""
