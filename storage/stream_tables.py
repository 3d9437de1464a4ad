"""The tables of streams: what was decided about each record, what was learned and noticed."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKeyConstraint, Integer, String, UniqueConstraint

from storage.schema import Id, fact_table
from storage.texts import NAME, Words

stream_decisions = fact_table(
    "stream_decisions",
    Column("loop_id", Id, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("item_id", BigInteger, nullable=False),
    Column("key", Words("A key", NAME), nullable=True),
    Column("asked", Boolean, nullable=False),
    Column("score", Float, nullable=False),
    Column("threshold", Float, nullable=False),
    Column("probability", Float, nullable=False),
    Column("boost", Float, nullable=False),
    Column("round", Integer, nullable=False),
    Column("predicted", Integer, nullable=True),
    Column("confidence", Float, nullable=True),
    Column("probabilities", JSON(none_as_null=True), nullable=True),
    Column("state", JSON(none_as_null=True), nullable=True),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    UniqueConstraint("loop_id", "position"),
    UniqueConstraint("loop_id", "item_id"),
    UniqueConstraint("loop_id", "key"),
)

stream_events = fact_table(
    "stream_events",
    Column("loop_id", Id, nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("saw", BigInteger, nullable=False),
    Column("details", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    ForeignKeyConstraint(["loop_id"], ["loops.id"]),
    UniqueConstraint("loop_id", "number"),
)
