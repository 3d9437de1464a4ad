"""What every table is made with: names of constraints, ids, moments, columns of a fact; and the database's clock."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    DateTime,
    Float,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage.texts import Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, kept as UTC without a zone, read back with one."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC, without its zone."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment with its zone."""
        return None if value is None else value.replace(tzinfo=UTC)


def fact_table(name: str, *columns: Any, **options: Any) -> Table:
    """Return a table of facts: own id, project, write number, moment, UUID."""
    return Table(
        name,
        metadata,
        Column("id", Id, primary_key=True, autoincrement=True),
        Column("project_id", Id, nullable=False),
        Column("seq", BigInteger, nullable=False),
        Column("uuid", Words("A UUID", 36, 36), nullable=False, unique=True),
        Column("created_at", UtcDateTime, nullable=False),
        *columns,
        ForeignKeyConstraint(["project_id"], ["projects.id"]),
        Index(f"ix_{name}_project_id_seq", "project_id", "seq"),
        sqlite_autoincrement=True,
        **options,
    )


class database_clock(ColumnElement[float]):
    """The database's own clock, in seconds since 1970: what leases expire by."""

    type = Float()
    inherit_cache = True


@compiles(database_clock, "sqlite")
def _clock_sqlite(_element: database_clock, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_clock)
def _clock(_element: database_clock, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "extract(epoch from clock_timestamp())"
