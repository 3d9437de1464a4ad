"""What is kept on disk of a project's items, derived from the ledger and disposable."""
