"""The tables of people: who they are in the whole database, their roles, their work, and what they are told of it."""

from sqlalchemy import Boolean, Column, ForeignKeyConstraint, Index, Integer, String, Table, UniqueConstraint

from storage.schema import Id, UtcDateTime, fact_table, metadata
from storage.texts import NAME, Words

persons = Table(
    "persons",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("name", Words("A person's name", NAME), nullable=True),
    Column("account", Words("An account", NAME), nullable=True, unique=True),
    Index("ix_persons_name", "name"),
    sqlite_autoincrement=True,
)
"""People of the whole database. Two may have one name; what projects call them stands in `annotators`."""

person_merges = Table(
    "person_merges",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("into_id", Id, nullable=True),
    Column("by_id", Id, nullable=True),
    ForeignKeyConstraint(["person_id"], ["persons.id"]),
    ForeignKeyConstraint(["into_id"], ["persons.id"]),
    ForeignKeyConstraint(["by_id"], ["persons.id"]),
    sqlite_autoincrement=True,
)
"""Facts: a person counts as another one, or, where `into_id` is NULL, as nobody else any more."""

roles = Table(
    "roles",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("project_id", Id, nullable=True),
    Column("role", String(20), nullable=False),
    Column("by_id", Id, nullable=True),
    ForeignKeyConstraint(["person_id"], ["persons.id"]),
    ForeignKeyConstraint(["project_id"], ["projects.id"]),
    ForeignKeyConstraint(["by_id"], ["persons.id"]),
    Index("ix_roles_project_id", "project_id"),
    sqlite_autoincrement=True,
)
"""Facts: what a person may do in a project, or, where `project_id` is NULL, in all of the database."""

assignments = fact_table(
    "assignments",
    Column("loop_id", Id, nullable=False),
    Column("person_id", Id, nullable=False),
    Column("items", Integer, nullable=True),
    Column("until", UtcDateTime, nullable=True),
    Column("active", Boolean, nullable=False),
    Column("by_id", Id, nullable=True),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    ForeignKeyConstraint(["person_id"], ["persons.id"]),
    ForeignKeyConstraint(["by_id"], ["persons.id"]),
)
"""Facts: a person works on a loop, up to so many answers and until then, or, not `active`, does no more."""

documents = fact_table(
    "documents",
    Column("kind", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("text", Words("A text about a project", 50_000), nullable=False),
    Column("annotator_id", Id, nullable=True),
    ForeignKeyConstraint(["annotator_id"], ["annotators.id"]),
    UniqueConstraint("project_id", "kind", "version"),
)
"""Facts: versions of the description of a project and of its guidelines."""
