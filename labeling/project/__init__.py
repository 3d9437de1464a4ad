"""The door: a project and its verbs."""
