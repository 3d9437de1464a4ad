"""The file that the page of exports hands to a browser."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import polars as pl
import pytest

from labeling import Project
from ui.export.file import write


@pytest.mark.parametrize("kind", ["csv", "dataset"])
def test_what_is_made_for_a_browser_is_for_the_server_alone(
    kind: str, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    project = Project.create("forum", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["one", "two"]}))
    before = os.umask(0)
    try:
        ready = write(project, kind, {}, lambda done, total: None)
    finally:
        os.umask(before)
    with ready.file as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
        assert len(file.read()) == ready.size
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("work.db")] == []
