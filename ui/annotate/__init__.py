"""Annotate: one item at a time, by keyboard."""

from ui.annotate.page import render

__all__ = ["render"]
