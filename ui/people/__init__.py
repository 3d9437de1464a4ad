"""Who works on a project: people, their roles, what they are assigned, and which of them are one."""

from ui.people.tab import draw

__all__ = ["draw"]
