"""Weak runs of a project."""
