"""The pool loop and its parts."""
