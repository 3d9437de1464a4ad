"""Persons: one for each name that annotators have in the database, what counts together, roles, assignments."""

import unicodedata
import uuid
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "persons",
        *_stamped(),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("account", name=op.f("uq_persons_account")),
        sa.UniqueConstraint("uuid", name=op.f("uq_persons_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_persons_name", "persons", ["name"], unique=False)
    op.create_table(
        "person_merges",
        *_stamped(),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("into_id", Id, nullable=True),
        sa.Column("by_id", Id, nullable=True),
        *_of_persons("person_merges", "person_id", "into_id", "by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_merges")),
        sa.UniqueConstraint("uuid", name=op.f("uq_person_merges_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "roles",
        *_stamped(),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("project_id", Id, nullable=True),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        *_of_persons("roles", "person_id", "by_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_roles_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("uuid", name=op.f("uq_roles_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_roles_project_id", "roles", ["project_id"], unique=False)
    op.create_table(
        "assignments",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("person_id", Id, nullable=False),
        sa.Column("items", sa.Integer(), nullable=True),
        sa.Column("until", sa.DateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("by_id", Id, nullable=True),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_assignments_loop_id")),
        *_of_persons("assignments", "person_id", "by_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_assignments_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("uuid", name=op.f("uq_assignments_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_assignments_project_id_seq", "assignments", ["project_id", "seq"], unique=False)
    op.add_column("annotators", sa.Column("person_id", Id, nullable=True))
    _people_of_now()


def _people_of_now() -> None:
    """Give each name its person. The person's UUID follows from its first annotator's: copies of a file agree."""
    annotators = sa.table("annotators", sa.column("id"), sa.column("uuid"), sa.column("name"), sa.column("person_id"))
    persons = sa.table(
        "persons", sa.column("id"), sa.column("uuid"), sa.column("created_at", sa.DateTime), sa.column("name")
    )
    connection = op.get_bind()
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = connection.execute(sa.select(annotators).order_by(annotators.c.id)).all()
    known: dict[str, int] = {}
    for row in rows:
        name = None if row.name is None else unicodedata.normalize("NFC", row.name)
        person = None if name is None else known.get(name)
        if person is None:
            own = str(uuid.uuid5(uuid.NAMESPACE_URL, f"person of {row.uuid}"))
            made = sa.insert(persons).values(uuid=own, created_at=now, name=name).returning(persons.c.id)
            person = connection.execute(made).scalar_one()
            if name is not None:
                known[name] = person
        connection.execute(sa.update(annotators).where(annotators.c.id == row.id).values(person_id=person))


def _stamped() -> list[sa.Column]:
    return [
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    ]


def _of_persons(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([name], ["persons.id"], name=op.f(f"fk_{table}_{name}")) for name in columns
    ]
