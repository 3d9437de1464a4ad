"""Data: import, look, search, hold out."""

from ui.data.page import render

__all__ = ["render"]
