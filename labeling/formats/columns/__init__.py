"""Columns: their names, types and values."""
