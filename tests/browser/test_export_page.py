"""The Export page: where the file is until somebody takes it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import Project
from labeling.commands.server import HOST, free_port, serving

PATIENCE = 180_000

pytestmark = pytest.mark.browser


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_nothing_of_a_prepared_file_is_left_when_its_server_is_killed(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, place = f"sqlite:///{tmp_path / 'work.db'}", tmp_path / "temporary"
    place.mkdir()
    texts = pl.DataFrame({"text": [f"post {n}" for n in range(50)]})
    Project.create("killed", ["ok", "offensive"], storage=storage).add_items(texts, text="text", progress=False)
    monkeypatch.setenv("TMPDIR", str(place))
    port = free_port()
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    with serving(storage, port, output=subprocess.DEVNULL) as server:
        page.goto(f"http://{HOST}:{port}/export?project=killed&annotator=ann")
        page.get_by_role("button", name="Prepare the file").click()
        expect(page.get_by_role("button", name="Download")).to_be_visible()
        server.send_signal(signal.SIGKILL)
        server.wait()
    page.close()
    left = [file for file in place.rglob("*") if file.is_file() and b"post 7" in file.read_bytes()]
    assert (left, list(place.glob(".tally-*"))) == ([], [])
