"""Leases on refits say on which machine one is made, and since when."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("refit_leases", sa.Column("since", sa.Float(), nullable=True))
    op.add_column("refit_leases", sa.Column("host", sa.String(length=255), nullable=True))
