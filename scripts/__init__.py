"""What the Makefile runs besides the packages: browser, pins, pictures."""
