"""Export: the labeled data set as a file."""

from ui.export.page import render

__all__ = ["render"]
