"""What commands share: their options, how they talk, the app as a process of its own."""
