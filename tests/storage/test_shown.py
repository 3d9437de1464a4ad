"""No password and nothing of what is stored stands in what storage says, whatever goes wrong."""

from __future__ import annotations

import json
import re
import sqlite3
import traceback
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from labeling import Project
from storage import StorageError, close_engines, shown_url
from storage.database import open_engine, writing
from tests.labeling.shell import Shell

SECRET = "hidden-word"
UNREADABLE = [
    f"postgresql://ann:{SECRET}@host:port/x",
    f"postgresql://ann:p@{SECRET}@127.0.0.1:1/x",
    f"postgresql://ann:p@x:{SECRET}@127.0.0.1/x",
    f"postgresql://ann:p@x/{SECRET}@127.0.0.1/x",
    f"postgresql://ann:p@x?{SECRET}@127.0.0.1/x",
    f"mysql://ann:{SECRET}@127.0.0.1/x",
    f"host=127.0.0.1 password={SECRET}",
    f"ann:{SECRET}@127.0.0.1/x",
    f"://{SECRET}",
]
UNREACHABLE = [
    f"postgresql://ann:{SECRET}@127.0.0.1:1/x?connect_timeout=1",
    f"postgresql://127.0.0.1:1/x?connect_timeout=1&password={SECRET}",
    f"postgresql://127.0.0.1:1/x?connect_timeout=1&sslpassword={SECRET}",
    f"postgresql://127.0.0.1:1/x?connect_timeout=1&passwort={SECRET}",
    f"postgresql://127.0.0.1:1/x?connect_timeout=1&options={SECRET}",
]


def everything(error: BaseException) -> str:
    """What a log of an error holds."""
    return "".join(traceback.format_exception(error)) + str(error) + repr(error)


@pytest.mark.parametrize("url", UNREADABLE + UNREACHABLE)
def test_a_password_is_in_no_error_and_no_traceback(url: str) -> None:
    with pytest.raises((StorageError, DBAPIError)) as caught:
        open_engine(url)
    # The lines of this file are not part of what is said.
    said = "\n".join(line for line in everything(caught.value).splitlines() if "open_engine(url)" not in line)
    assert SECRET not in said


@pytest.mark.parametrize("name", ["password", "passfile", "sslpassword", "sslkey", "options", "Password", "unknown"])
def test_a_parameter_that_may_be_a_secret_is_not_shown(name: str) -> None:
    said = shown_url(f"postgresql://ann@host/x?{name}={SECRET}")
    assert said == f"postgresql+psycopg://ann@host/x?{name}=***"


@pytest.mark.parametrize("url", [UNREADABLE[0], UNREACHABLE[1], UNREACHABLE[3]])
def test_the_command_line_says_no_password(url: str, tmp_path: Path) -> None:
    done = Shell(tmp_path)("status", storage=url)
    assert done.returncode == 1
    assert "Error: " in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_what_postgres_says_of_a_row_is_not_repeated(postgres_url: str) -> None:
    engine = open_engine(postgres_url, create=True)
    statements = [
        "INSERT INTO contents (project_id, item_id, data) VALUES (1, NULL, '\"' || :word || '\"')",
        "SELECT CAST(:word AS integer)",
        "SELECT CAST('{' || :word AS json)",
    ]
    for statement in statements:
        with pytest.raises(DBAPIError) as caught, writing(engine) as connection:
            connection.execute(text(statement), {"word": SECRET})
        assert SECRET not in everything(caught.value)
    with pytest.raises(IntegrityError, match="null value in column"), writing(engine) as connection:
        connection.execute(text(statements[0]), {"word": SECRET})


@pytest.mark.parametrize("content", [b'{"text": "hidden-word', b'{"text": "hidden-word \xff"}'], ids=["cut", "no text"])
def test_damaged_content_is_named_by_its_item_alone(sqlite_url: str, content: bytes) -> None:
    project = Project.create("forum", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["one", "two", "three"]}))
    path = Path(str(make_url(sqlite_url).database))
    close_engines()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE contents SET data = CAST(? AS TEXT) WHERE item_id = 2", [content])
    connection.close()
    with pytest.raises(StorageError, match=r"item 2 .*cannot be read") as caught:
        Project.open("forum", storage=sqlite_url).items()
    assert SECRET not in everything(caught.value)


def test_a_read_that_fails_elsewhere_names_table_and_row(sqlite_url: str) -> None:
    Project.create("forum", ["ok", "bad"], storage=sqlite_url)
    path = Path(str(make_url(sqlite_url).database))
    close_engines()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE label_sets SET classes = ?", [json.dumps([SECRET])[:-1]])
    connection.close()
    with pytest.raises(StorageError, match=r"classes of label_sets \(id 1\) cannot be read") as caught:
        Project.open("forum", storage=sqlite_url).label_names  # noqa: B018
    assert not re.search(SECRET, everything(caught.value))
