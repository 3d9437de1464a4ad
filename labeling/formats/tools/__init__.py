"""Files of other labeling tools."""
