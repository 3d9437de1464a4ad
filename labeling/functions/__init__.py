"""Labeling functions: small rules that vote for a class or abstain."""
