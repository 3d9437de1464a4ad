"""Strategies compared on data whose labels are known."""
