"""Label models: many votes in, one soft label an item out."""
