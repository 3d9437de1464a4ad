"""The tables of the ledger: facts, stamped with the number of the write that made them.

Every row that states a fact carries `seq`, the value that `projects.seq` took in
the transaction that wrote it. Rows are added, never changed; the exceptions are
`projects.seq` itself and whether a project is archived, `leases` (who is working on
what right now), `imports` (a row that completes), `refit_blocks` (those of a loop's
newest trained refit stand for the older ones) and the erasure of contents.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.people_tables import assignments as assignments
from storage.people_tables import documents as documents
from storage.people_tables import person_merges as person_merges
from storage.people_tables import persons as persons
from storage.people_tables import roles as roles
from storage.schema import Id, UtcDateTime, fact_table
from storage.schema import metadata as metadata
from storage.stream_tables import stream_decisions as stream_decisions
from storage.stream_tables import stream_events as stream_events
from storage.texts import NAME, Words

projects = Table(
    "projects",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", Words("A project's name", 200, 200), nullable=False, unique=True),
    Column("description", Words("A description"), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seq", BigInteger, nullable=False, default=0),
    Column("next_item", BigInteger, nullable=False, default=1),
    Column("archived_at", UtcDateTime, nullable=True),
    sqlite_autoincrement=True,
)

erased_projects = Table(
    "erased_projects",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("erased_at", UtcDateTime, nullable=False),
    Column("counts", JSON, nullable=False),
    sqlite_autoincrement=True,
)

project_changes = fact_table(
    "project_changes",
    Column("kind", String(20), nullable=False),
    Column("details", JSON, nullable=False),
)

label_sets = fact_table(
    "label_sets",
    Column("version", Integer, nullable=False),
    Column("change", JSON, nullable=False),
    Column("classes", JSON, nullable=False),
    UniqueConstraint("project_id", "version"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("project_id", Id, nullable=False),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seq", BigInteger, nullable=True),
    Column("completed_at", UtcDateTime, nullable=True),
    Column("expires_at", Float, nullable=False),
    Column("name", Words("The name of a source"), nullable=False),
    Column("mapping", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("report", JSON, nullable=True),
    Column("kind", String(20), nullable=True),
    ForeignKeyConstraint(["project_id"], ["projects.id"]),
    Index("ix_imports_project_id_seq", "project_id", "seq"),
    sqlite_autoincrement=True,
)

import_changes = fact_table(
    "import_changes",
    Column("import_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("details", JSON, nullable=False),
    ForeignKeyConstraint(["import_id"], ["imports.id"]),
)

items = Table(
    "items",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("import_id", Id, nullable=False),
    Column("source_row", BigInteger, nullable=False),
    Column("external_id", Text, nullable=True),
    Column("group_key", Text, nullable=True),
    Column("content_hash", LargeBinary(16), nullable=False),
    Column("source_key", LargeBinary(16), nullable=True),
    Index("ix_items_project_id_import_id", "project_id", "import_id"),
)

contents = Table(
    "contents",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("data", Text, nullable=True),
    Column("private", Text, nullable=True),
    Column("image", LargeBinary, nullable=True),
)

source_rows = Table(
    "source_rows",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),
    Column("import_id", Id, primary_key=True, autoincrement=False),
    Column("source_row", BigInteger, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, nullable=False),
    Column("external_id", Text, nullable=True),
    Column("source_key", LargeBinary(16), nullable=True),
    Column("again", Boolean, nullable=True),
    Index("ix_source_rows_project_id_item_id", "project_id", "item_id"),
)

gold = Table(
    "gold",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("import_id", Id, primary_key=True, autoincrement=False),
    Column("label_id", Integer, nullable=False),
)

holdouts = fact_table(
    "holdouts",
    Column("fraction", Float, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("item_ids", LargeBinary, nullable=False),
)

erasures = fact_table(
    "erasures",
    Column("item_id", BigInteger, nullable=False),
    Column("reason", Words("A reason"), nullable=False),
)

functions = fact_table(
    "functions",
    Column("name", Words("A labeling function's name", NAME), nullable=False),
    UniqueConstraint("project_id", "name"),
)

function_versions = fact_table(
    "function_versions",
    Column("function_id", Id, nullable=False),
    Column("version", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("expert", Words("An expert's name", NAME), nullable=True),
    Column("fingerprint", String(64), nullable=True),
    Column("spec", JSON, nullable=False),
    ForeignKeyConstraint(["function_id"], ["functions.id"]),
    UniqueConstraint("function_id", "version"),
)

vote_blocks = fact_table(
    "vote_blocks",
    Column("function_version_id", Id, nullable=False),
    Column("block", Integer, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("votes", LargeBinary, nullable=False),
    Column("faults", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    ForeignKeyConstraint(["function_version_id"], ["function_versions.id"]),
    Index("ix_vote_blocks_version_block", "function_version_id", "block"),
)

weak_runs = fact_table(
    "weak_runs",
    Column("number", Integer, nullable=False),
    Column("saw", BigInteger, nullable=False),
    Column("label_model", JSON, nullable=False),
    Column("function_versions", JSON, nullable=False),
    Column("libraries", JSON, nullable=False),
    Column("label_set", Integer, nullable=False),
    Column("label_ids", JSON, nullable=False),
    Column("n_items", BigInteger, nullable=False),
    Column("summary", JSON, nullable=False),
    UniqueConstraint("project_id", "number"),
)

weak_blocks = Table(
    "weak_blocks",
    metadata,
    Column("weak_run_id", Id, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("item_ids", LargeBinary, nullable=False),
    Column("labels", LargeBinary, nullable=False),
    Column("weights", LargeBinary, nullable=False),
    Column("probabilities", LargeBinary, nullable=False),
    ForeignKeyConstraint(["weak_run_id"], ["weak_runs.id"]),
)

loops = fact_table(
    "loops",
    Column("name", Words("A loop's name", NAME), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("settings", JSON, nullable=False),
    UniqueConstraint("project_id", "name"),
)

loop_changes = fact_table(
    "loop_changes",
    Column("loop_id", Id, nullable=False),
    Column("annotator_id", Id, nullable=True),
    Column("kind", String(20), nullable=False),
    Column("details", JSON, nullable=False),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    ForeignKeyConstraint(["annotator_id"], ["annotators.id"]),
    Index("ix_loop_changes_loop_id", "loop_id"),
)

filters = fact_table(
    "filters",
    Column("name", Words("A filter's name", NAME), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("spec", JSON, nullable=False),
)

refits = fact_table(
    "refits",
    Column("loop_id", Id, nullable=False),
    Column("round", Integer, nullable=False),
    Column("saw", BigInteger, nullable=False),
    Column("weak_run_id", Id, nullable=True),
    Column("label_set", Integer, nullable=False),
    Column("label_ids", JSON, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("ranking", LargeBinary, nullable=False),
    Column("predictions", LargeBinary, nullable=False),
    Column("held_back", LargeBinary, nullable=True),
    Column("model", LargeBinary, nullable=True),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    UniqueConstraint("loop_id", "round"),
)

refit_blocks = Table(
    "refit_blocks",
    metadata,
    Column("refit_id", Id, primary_key=True, autoincrement=False),
    Column("kind", String(10), primary_key=True),
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("item_ids", LargeBinary, nullable=False),
    Column("probabilities", LargeBinary, nullable=False),
    ForeignKeyConstraint(["refit_id"], ["refits.id"]),
)

annotators = Table(
    "annotators",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("project_id", Id, nullable=False),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", Words("An annotator's name", NAME), nullable=True),
    # Each has one; SQLite cannot add a column that says so to a table that others refer to.
    Column("person_id", Id, nullable=True),
    ForeignKeyConstraint(["project_id"], ["projects.id"]),
    UniqueConstraint("project_id", "name"),
    sqlite_autoincrement=True,
)

queries = fact_table(
    "queries",
    Column("loop_id", Id, nullable=False),
    Column("refit_id", Id, nullable=False),
    Column("annotator_id", Id, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("score", Float, nullable=False),
    Column("parts", JSON, nullable=False),
    Column("probability", Float, nullable=True),
    Column("strategy", Text, nullable=False),
    Column("predicted", Integer, nullable=True),
    Column("probabilities", JSON, nullable=False),
    Column("why", JSON(none_as_null=True), nullable=True),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    ForeignKeyConstraint(["refit_id"], ["refits.id"]),
    ForeignKeyConstraint(["annotator_id"], ["annotators.id"]),
    Index("ix_queries_loop_id_annotator_id", "loop_id", "annotator_id"),
    Index("ix_queries_project_id_item_id", "project_id", "item_id"),
)

annotations = fact_table(
    "annotations",
    Column("item_id", BigInteger, nullable=False),
    Column("annotator_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("query_id", Id, nullable=True),
    Column("loop_id", Id, nullable=True),
    Column("undoes", Id, nullable=True),
    Column("seconds", Float, nullable=True),
    Column("content_version", Integer, nullable=False),
    Column("label_set", Integer, nullable=False),
    Column("suggestion_shown", Boolean, nullable=False),
    Column("origin", String(20), nullable=True),
    Column("from_query_id", Id, nullable=True),
    Column("step", String(36), nullable=True),
    Column("late", Boolean, nullable=True),
    Column("guidelines", Integer, nullable=True),
    ForeignKeyConstraint(["annotator_id"], ["annotators.id"]),
    ForeignKeyConstraint(["undoes"], ["annotations.id"]),
    UniqueConstraint("undoes"),
    Index("ix_annotations_project_id_item_id", "project_id", "item_id"),
    Index("ix_annotations_loop_id_annotator_id", "loop_id", "annotator_id"),
    Index("ix_annotations_step", "step"),
)

remarks = fact_table(
    "remarks",
    Column("item_id", BigInteger, nullable=False),
    Column("annotation_id", Id, nullable=True),
    Column("annotator_id", Id, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Words("A remark", 10_000), nullable=False),
    ForeignKeyConstraint(["annotation_id"], ["annotations.id"]),
    ForeignKeyConstraint(["annotator_id"], ["annotators.id"]),
    Index("ix_remarks_project_id_item_id", "project_id", "item_id"),
)

annotation_labels = Table(
    "annotation_labels",
    metadata,
    Column("annotation_id", Id, primary_key=True, autoincrement=False),
    Column("label_id", Integer, primary_key=True, autoincrement=False),
    ForeignKeyConstraint(["annotation_id"], ["annotations.id"]),
)

leases = Table(
    "leases",
    metadata,
    Column("project_id", Id, primary_key=True, autoincrement=False),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", SmallInteger, primary_key=True, autoincrement=False),
    Column("annotator_id", Id, nullable=False),
    Column("query_id", Id, nullable=False),
    Column("loop_id", Id, nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("holder", Words("The name of a holder", 100, 100), nullable=True),
    UniqueConstraint("project_id", "item_id", "annotator_id"),
    Index("ix_leases_query_id", "query_id"),
)

refit_leases = Table(
    "refit_leases",
    metadata,
    Column("loop_id", Id, primary_key=True, autoincrement=False),
    Column("holder", String(36), nullable=False),
    Column("expires_at", Float, nullable=False),
    Column("since", Float, nullable=True),
    Column("host", String(255), nullable=True),
)

exports = fact_table(
    "exports",
    Column("name", Words("The name of an export"), nullable=False),
    Column("format", String(20), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=True),
    Column("options", JSON, nullable=False),
)
