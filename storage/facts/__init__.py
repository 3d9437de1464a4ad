"""The facts of a project, a file a kind."""
