"""Imports: a key over the columns of each row as read, rows seen again, imports taken back, projects archived."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("projects", sa.Column("archived_at", sa.DateTime(), nullable=True))
    op.add_column("imports", sa.Column("kind", sa.String(length=20), nullable=True))
    op.add_column("items", sa.Column("source_key", sa.LargeBinary(length=16), nullable=True))
    op.add_column("source_rows", sa.Column("source_key", sa.LargeBinary(length=16), nullable=True))
    op.add_column("source_rows", sa.Column("again", sa.Boolean(), nullable=True))
    op.create_index("ix_source_rows_project_id_item_id", "source_rows", ["project_id", "item_id"], unique=False)
    _facts(
        "import_changes",
        sa.Column("import_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name=op.f("fk_import_changes_import_id")),
    )
    _facts("project_changes")
    # Records of a stream lie under imports of their own, which have no report.
    imports = sa.table("imports", sa.column("id"), sa.column("report", sa.JSON), sa.column("kind"))
    connection = op.get_bind()
    rows = connection.execute(sa.select(imports.c.id, imports.c.report).where(imports.c.report.is_not(None))).all()
    streams = [row.id for row in rows if row.report == {}]
    if streams:
        connection.execute(sa.update(imports).where(imports.c.id.in_(streams)).values(kind="stream"))


def _facts(name: str, *more: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        *more,
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f(f"fk_{name}_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("uuid", name=op.f(f"uq_{name}_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_project_id_seq", name, ["project_id", "seq"], unique=False)
