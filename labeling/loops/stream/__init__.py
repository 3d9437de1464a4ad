"""The stream loop and its parts."""
