"""Teams: answers that came late."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("annotations", sa.Column("late", sa.Boolean(), nullable=True))
    op.create_index("ix_queries_project_id_item_id", "queries", ["project_id", "item_id"], unique=False)
