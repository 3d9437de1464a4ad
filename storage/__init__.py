"""The ledger: append-only facts of projects in one SQL database."""

from storage.database import StorageError, close_engines
from storage.ledger import Ledger, ProjectExists, ProjectNotFound, list_projects
from storage.loop_facts import REFIT_LEASE_SECONDS, new_holder
from storage.standing import ANSWERS

__all__ = [
    "ANSWERS",
    "REFIT_LEASE_SECONDS",
    "Ledger",
    "ProjectExists",
    "ProjectNotFound",
    "StorageError",
    "close_engines",
    "list_projects",
    "new_holder",
]
