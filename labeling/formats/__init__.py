"""Files that a data set can be: one format is one file here, and one line in `labeling.formats.export_formats`."""
