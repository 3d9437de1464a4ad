"""What only SQLite needs: the file that a database is, and the queue of who writes to it."""
