"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "contents",
        sa.Column("project_id", Id, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("private", sa.Text(), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "item_id", "version", name=op.f("pk_contents")),
    )
    op.create_table(
        "gold",
        sa.Column("project_id", Id, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", Id, autoincrement=False, nullable=False),
        sa.Column("label_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "item_id", "import_id", name=op.f("pk_gold")),
    )
    op.create_table(
        "items",
        sa.Column("project_id", Id, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("import_id", Id, nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("group_key", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(length=16), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "item_id", name=op.f("pk_items")),
    )
    op.create_index("ix_items_project_id_import_id", "items", ["project_id", "import_id"], unique=False)
    op.create_table(
        "leases",
        sa.Column("project_id", Id, autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("annotator_id", Id, nullable=False),
        sa.Column("query_id", Id, nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", "item_id", "slot", name=op.f("pk_leases")),
        sa.UniqueConstraint(
            "project_id", "item_id", "annotator_id", name=op.f("uq_leases_project_id_item_id_annotator_id")
        ),
    )
    op.create_index("ix_leases_query_id", "leases", ["query_id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("next_item", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("name", name=op.f("uq_projects_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_projects_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "refit_leases",
        sa.Column("loop_id", Id, autoincrement=False, nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("loop_id", name=op.f("pk_refit_leases")),
    )
    op.create_table(
        "source_rows",
        sa.Column("project_id", Id, autoincrement=False, nullable=False),
        sa.Column("import_id", Id, autoincrement=False, nullable=False),
        sa.Column("source_row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("project_id", "import_id", "source_row", name=op.f("pk_source_rows")),
    )
    op.create_table(
        "annotators",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_annotators_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotators")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_annotators_project_id_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_annotators_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "erasures",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_erasures_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("uuid", name=op.f("uq_erasures_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_erasures_project_id_seq", "erasures", ["project_id", "seq"], unique=False)
    op.create_table(
        "exports",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_exports_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
        sa.UniqueConstraint("uuid", name=op.f("uq_exports_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_exports_project_id_seq", "exports", ["project_id", "seq"], unique=False)
    op.create_table(
        "functions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_functions_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_functions")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_functions_project_id_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_functions_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_functions_project_id_seq", "functions", ["project_id", "seq"], unique=False)
    op.create_table(
        "holdouts",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("fraction", sa.Float(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("item_ids", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_holdouts_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holdouts")),
        sa.UniqueConstraint("uuid", name=op.f("uq_holdouts_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_holdouts_project_id_seq", "holdouts", ["project_id", "seq"], unique=False)
    op.create_table(
        "imports",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("completed_at", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_imports_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
        sa.UniqueConstraint("uuid", name=op.f("uq_imports_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_imports_project_id_seq", "imports", ["project_id", "seq"], unique=False)
    op.create_table(
        "label_sets",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("change", sa.JSON(), nullable=False),
        sa.Column("classes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_label_sets_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_sets")),
        sa.UniqueConstraint("project_id", "version", name=op.f("uq_label_sets_project_id_version")),
        sa.UniqueConstraint("uuid", name=op.f("uq_label_sets_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_label_sets_project_id_seq", "label_sets", ["project_id", "seq"], unique=False)
    op.create_table(
        "loops",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_loops_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loops")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_loops_project_id_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_loops_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_loops_project_id_seq", "loops", ["project_id", "seq"], unique=False)
    op.create_table(
        "weak_runs",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("saw", sa.BigInteger(), nullable=False),
        sa.Column("label_model", sa.JSON(), nullable=False),
        sa.Column("function_versions", sa.JSON(), nullable=False),
        sa.Column("libraries", sa.JSON(), nullable=False),
        sa.Column("label_set", sa.Integer(), nullable=False),
        sa.Column("label_ids", sa.JSON(), nullable=False),
        sa.Column("n_items", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_weak_runs_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weak_runs")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_weak_runs_project_id_number")),
        sa.UniqueConstraint("uuid", name=op.f("uq_weak_runs_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_weak_runs_project_id_seq", "weak_runs", ["project_id", "seq"], unique=False)
    op.create_table(
        "annotations",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("annotator_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("query_id", Id, nullable=True),
        sa.Column("loop_id", Id, nullable=True),
        sa.Column("undoes", Id, nullable=True),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("content_version", sa.Integer(), nullable=False),
        sa.Column("label_set", sa.Integer(), nullable=False),
        sa.Column("suggestion_shown", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_annotations_annotator_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_annotations_project_id")),
        sa.ForeignKeyConstraint(["undoes"], ["annotations.id"], name=op.f("fk_annotations_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotations")),
        sa.UniqueConstraint("undoes", name=op.f("uq_annotations_undoes")),
        sa.UniqueConstraint("uuid", name=op.f("uq_annotations_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_annotations_loop_id_annotator_id", "annotations", ["loop_id", "annotator_id"], unique=False)
    op.create_index("ix_annotations_project_id_item_id", "annotations", ["project_id", "item_id"], unique=False)
    op.create_index("ix_annotations_project_id_seq", "annotations", ["project_id", "seq"], unique=False)
    op.create_table(
        "function_versions",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("function_id", Id, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("expert", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(length=64), nullable=True),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["function_id"], ["functions.id"], name=op.f("fk_function_versions_function_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_function_versions_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_function_versions")),
        sa.UniqueConstraint("function_id", "version", name=op.f("uq_function_versions_function_id_version")),
        sa.UniqueConstraint("uuid", name=op.f("uq_function_versions_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_function_versions_project_id_seq", "function_versions", ["project_id", "seq"], unique=False)
    op.create_table(
        "refits",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("saw", sa.BigInteger(), nullable=False),
        sa.Column("weak_run_id", Id, nullable=True),
        sa.Column("label_set", sa.Integer(), nullable=False),
        sa.Column("label_ids", sa.JSON(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("ranking", sa.LargeBinary(), nullable=False),
        sa.Column("predictions", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_refits_loop_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_refits_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refits")),
        sa.UniqueConstraint("loop_id", "round", name=op.f("uq_refits_loop_id_round")),
        sa.UniqueConstraint("uuid", name=op.f("uq_refits_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_refits_project_id_seq", "refits", ["project_id", "seq"], unique=False)
    op.create_table(
        "weak_blocks",
        sa.Column("weak_run_id", Id, autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_ids", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("weights", sa.LargeBinary(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["weak_run_id"], ["weak_runs.id"], name=op.f("fk_weak_blocks_weak_run_id")),
        sa.PrimaryKeyConstraint("weak_run_id", "block", name=op.f("pk_weak_blocks")),
    )
    op.create_table(
        "annotation_labels",
        sa.Column("annotation_id", Id, autoincrement=False, nullable=False),
        sa.Column("label_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["annotation_id"], ["annotations.id"], name=op.f("fk_annotation_labels_annotation_id")),
        sa.PrimaryKeyConstraint("annotation_id", "label_id", name=op.f("pk_annotation_labels")),
    )
    op.create_table(
        "queries",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("loop_id", Id, nullable=False),
        sa.Column("refit_id", Id, nullable=False),
        sa.Column("annotator_id", Id, nullable=False),
        sa.Column("item_id", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("parts", sa.JSON(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("predicted", sa.Integer(), nullable=True),
        sa.Column("probabilities", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["annotator_id"], ["annotators.id"], name=op.f("fk_queries_annotator_id")),
        sa.ForeignKeyConstraint(["loop_id"], ["loops.id"], name=op.f("fk_queries_loop_id")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_queries_project_id")),
        sa.ForeignKeyConstraint(["refit_id"], ["refits.id"], name=op.f("fk_queries_refit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queries")),
        sa.UniqueConstraint("uuid", name=op.f("uq_queries_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_queries_loop_id_annotator_id", "queries", ["loop_id", "annotator_id"], unique=False)
    op.create_index("ix_queries_project_id_seq", "queries", ["project_id", "seq"], unique=False)
    op.create_table(
        "vote_blocks",
        sa.Column("id", Id, autoincrement=True, nullable=False),
        sa.Column("project_id", Id, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("function_version_id", Id, nullable=False),
        sa.Column("block", sa.Integer(), nullable=False),
        sa.Column("through", sa.BigInteger(), nullable=False),
        sa.Column("votes", sa.LargeBinary(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["function_version_id"], ["function_versions.id"], name=op.f("fk_vote_blocks_function_version_id")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_vote_blocks_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_blocks")),
        sa.UniqueConstraint("uuid", name=op.f("uq_vote_blocks_uuid")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_vote_blocks_project_id_seq", "vote_blocks", ["project_id", "seq"], unique=False)
    op.create_index("ix_vote_blocks_version_block", "vote_blocks", ["function_version_id", "block"], unique=False)
    # ### end Alembic commands ###
