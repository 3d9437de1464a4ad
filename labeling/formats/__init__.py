"""Files and frames: read and written, without a project."""
