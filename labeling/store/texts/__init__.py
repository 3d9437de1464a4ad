"""Texts of items taken apart."""
