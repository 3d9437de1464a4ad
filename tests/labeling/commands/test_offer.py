import polars as pl
import pytest
from typer.testing import CliRunner

from labeling import Project
from labeling.__main__ import commands
from tests.labeling.stream_loops import LABELS, posts


@pytest.fixture
def project(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


@pytest.fixture
def file(tmp_path):
    rows = [{"id": f"a{n}", "text": text, "label": label} for n, (text, label) in enumerate(posts(60))]
    path = tmp_path / "posts.jsonl"
    pl.DataFrame(rows).write_ndjson(path)
    return path


@pytest.fixture
def offer(project, file):
    def call(*options):
        line = ["offer", str(file), "--project", "p", "--storage", project.ledger.full_url, *options]
        return CliRunner().invoke(commands, line)

    return call


def test_records_of_a_file_are_offered_in_batches(project, offer):
    done = offer("--stream", "live", "--share", "0.2", "--batch-size", "25")
    assert done.exit_code == 0, done.output
    history = project.stream_loop("live").history().row(-1, named=True)
    assert f"60 records taken in, 0 known; {history['asked']} asked about, {history['asked'] / 60:.1%}" in done.stdout
    assert project.items().columns == ["item_id", "id", "text"]
    assert "column 'label' holds known labels" in done.stderr


def test_records_offered_before_are_known_by_their_key(project, offer):
    offer("--stream", "live", "--share", "0.2", "--key", "id")
    assert "0 records taken in, 60 known; 0 asked about" in offer("--stream", "live", "--key", "id").stdout
    assert project.items().height == 60


def test_a_column_can_be_left_out(project, offer):
    offer("--stream", "live", "--share", "0.2", "--key", "id", "--leave-out", "id")
    assert project.items().columns == ["item_id", "text"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--stream", "new"], "There is no stream 'new' in 'p'. Give --share"),
        (["--stream", "live", "--share", "0.1", "--key", "nr"], "There is no column 'nr'"),
    ],
)
def test_what_is_missing_is_said(offer, options, message):
    assert message in str(offer(*options).exception)
