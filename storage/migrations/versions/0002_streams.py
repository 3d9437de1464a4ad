"""Streams: what was decided about each record, and what the loop learned or noticed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "stream_decisions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("threshold", sa.Float(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("boost", sa.Float(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("predicted", sa.Integer(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("probabilities", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("state", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_stream_decisions_loop_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_stream_decisions_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream_decisions")),
        sa.UniqueConstraint("loop_id", "item_id", name=op.f("uq_stream_decisions_loop_id_item_id")),
        sa.UniqueConstraint("loop_id", "key", name=op.f("uq_stream_decisions_loop_id_key")),
        sa.UniqueConstraint("loop_id", "position", name=op.f("uq_stream_decisions_loop_id_position")),
        sa.UniqueConstraint("uuid", name=op.f("uq_stream_decisions_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stream_decisions_project_id_seq", "stream_decisions", ["project_id", "seq"], unique=False)
    op.create_table(
        "stream_events",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("saw", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_stream_events_loop_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_stream_events_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stream_events")),
        sa.UniqueConstraint("loop_id", "number", name=op.f("uq_stream_events_loop_id_number")),
        sa.UniqueConstraint("uuid", name=op.f("uq_stream_events_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_stream_events_project_id_seq", "stream_events", ["project_id", "seq"], unique=False)
