"""Bringing items, known answers and hidden columns into a project."""
