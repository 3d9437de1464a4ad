"""Loop: how a loop stands, and new ones."""

from ui.loop.page import render

__all__ = ["render"]
