"""Weak labels: runs, checks, thresholds."""

from ui.weak_labels.page import render

__all__ = ["render"]
