"""What comes out: one label an item, the chance that it is right, exports, checks."""
