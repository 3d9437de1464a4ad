"""Columns as numbers."""
