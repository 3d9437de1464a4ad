"""Files that are written: one format is one file, and one line in `export_formats`."""
