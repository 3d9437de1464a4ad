"""Commands that keep databases in order."""
