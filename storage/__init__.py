"""The ledger: append-only facts of projects in one SQL database."""

from storage.content_cache import ContentCache, cache_file, cache_folder
from storage.database import StorageError, StorageWarning, cautions, close_engine, close_engines, shown_url
from storage.facts.asking.refit_leases import REFIT_LEASE_SECONDS, new_holder
from storage.facts.documents import DESCRIPTION, GUIDELINES
from storage.facts.people.persons import root_of
from storage.facts.people.standing import ANSWERS, WELCOME
from storage.ledger import Ledger, ProjectExists, ProjectNotFound, list_projects
from storage.records import Holder
from storage.texts import RefusedText, check_text
from storage.transactions import ProjectArchived

__all__ = [
    "ANSWERS",
    "DESCRIPTION",
    "GUIDELINES",
    "REFIT_LEASE_SECONDS",
    "WELCOME",
    "ContentCache",
    "Holder",
    "Ledger",
    "ProjectArchived",
    "ProjectExists",
    "ProjectNotFound",
    "RefusedText",
    "StorageError",
    "StorageWarning",
    "cache_file",
    "cache_folder",
    "cautions",
    "check_text",
    "close_engine",
    "close_engines",
    "list_projects",
    "new_holder",
    "root_of",
    "shown_url",
]
