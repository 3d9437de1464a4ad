"""Pool loops: why items were asked, groups held back, answers given in one step, loops that went on, saved filters."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("refits", sa.Column("held_back", sa.LargeBinary(), nullable=True))
    op.add_column("refits", sa.Column("model", sa.LargeBinary(), nullable=True))
    op.add_column("queries", sa.Column("why", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("annotations", sa.Column("origin", sa.String(length=20), nullable=True))
    op.add_column("annotations", sa.Column("from_query_id", Id, nullable=True))
    op.add_column("annotations", sa.Column("step", sa.String(length=36), nullable=True))
    op.create_index("ix_annotations_step", "annotations", ["step"], unique=False)
    op.create_table(
        "loop_changes",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("annotator_id", Id, nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_loop_changes_annotator_id")),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_loop_changes_loop_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_loop_changes_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loop_changes")),
        sa.UniqueConstraint("uuid", name=op.f("uq_loop_changes_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_loop_changes_loop_id", "loop_changes", ["loop_id"], unique=False)
    op.create_index("ix_loop_changes_project_id_seq", "loop_changes", ["project_id", "seq"], unique=False)
    op.create_table(
        "filters",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_filters_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filters")),
        sa.UniqueConstraint("uuid", name=op.f("uq_filters_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_filters_project_id_seq", "filters", ["project_id", "seq"], unique=False)
