"""Refits keep the class distribution of each item, and out-of-fold predictions of answered items."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "refit_blocks",
        sa.Column("refit_id", Id, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_ids", sa.LargeBinary(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["refit_id"], ["refits.id"], name=op.f("fk_refit_blocks_refit_id")),
        sa.PrimaryKeyConstraint("refit_id", "kind", "block", name=op.f("pk_refit_blocks")),
    )
