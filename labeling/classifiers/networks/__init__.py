"""Networks that torch trains."""
