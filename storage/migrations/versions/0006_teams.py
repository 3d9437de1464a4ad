"""Teams: answers that came late, remarks, holders of one person."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("annotations", sa.Column("late", sa.Boolean(), nullable=True))
    op.add_column("leases", sa.Column("holder", sa.String(length=100), nullable=True))
    op.create_index("ix_queries_project_id_item_id", "queries", ["project_id", "item_id"], unique=False)
    op.create_table(
        "remarks",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("annotation_id", Id, nullable=True),
        sa.Column("annotator_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["annotation_id"], ["annotations.id"], name=op.f("fk_remarks_annotation_id")),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_remarks_annotator_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_remarks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remarks")),
        sa.UniqueConstraint("uuid", name=op.f("uq_remarks_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_remarks_project_id_item_id", "remarks", ["project_id", "item_id"], unique=False)
    op.create_index("ix_remarks_project_id_seq", "remarks", ["project_id", "seq"], unique=False)
