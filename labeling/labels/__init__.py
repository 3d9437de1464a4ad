"""What comes out: one label an item, the chance that it is right, and the distribution behind it."""
