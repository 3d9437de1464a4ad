"""The browser part of Tally: one module a page, no SQL and no arrays; every page calls Project."""
