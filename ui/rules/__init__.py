"""Rules: write, look at, change."""

from ui.rules.page import render

__all__ = ["render"]
