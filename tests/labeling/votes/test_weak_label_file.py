"""weak_label_file(): the labels of apply() and the model, in a file, also after a kill."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from labeling.functions.makers import keyword, labeling_function, regex
from labeling.votes import applying
from labeling.votes.applying import apply
from labeling.votes.label_models import MajorityVote, Robust
from labeling.votes.weak_label_file import weak_label_file

ROOT = Path(__file__).resolve().parents[3]
LABELS = ("ok", "offensive")
WORDS = ["red", "green", "blue", "idiot", "fool", "kind"]
FUNCTIONS = [
    keyword("kind", ["kind", "green"], "ok", expert="ann"),
    keyword("bad", ["idiot", "fool"], "offensive", expert="bob"),
    regex("i", "idiot", "offensive", expert="bob"),
    keyword("blue", ["blue"], "ok", expert="cem"),
]


@pytest.fixture
def posts(tmp_path, monkeypatch):
    monkeypatch.setattr(applying, "SLICE", 200)
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {"id": [f"{i:05d}" for i in range(1000)], "text": [" ".join(rng.choice(WORDS, 3)) for _ in range(1000)]}
    )
    path = tmp_path / "posts.parquet"
    frame.write_parquet(path, row_group_size=90)
    return path


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
@pytest.mark.parametrize(
    "model", [MajorityVote(by="expert", threshold=0.3, otherwise="ok"), MajorityVote(ties="random"), Robust()], ids=repr
)
def test_a_file_gets_the_labels_that_its_frame_would_get(posts, tmp_path, model, executor):
    out = tmp_path / "weak.parquet"
    report = weak_label_file(
        posts, FUNCTIONS, model, out, labels=LABELS, keep=["id"], executor=executor, progress=False
    )
    matrix = apply(FUNCTIONS, posts, LABELS)
    weak = model.fit(matrix).label(matrix)
    found = pl.read_parquet(out)
    assert found.columns == ["row", "id", "label", "confidence", "weight", "p_ok", "p_offensive"]
    assert found["id"].to_list() == pl.read_parquet(posts)["id"].to_list()
    assert found["label"].to_list() == [None if p < 0 else LABELS[p] for p in weak.positions]
    said = (matrix.votes_per_item > 0) | (weak.positions >= 0)
    assert np.allclose(found.select("p_ok", "p_offensive").to_numpy()[said], weak.proba[said], atol=1e-6)
    assert found["p_ok"].is_null().to_list() == (~said).tolist()
    assert found["confidence"].is_null().to_list() == (weak.positions < 0).tolist()
    assert np.allclose(found["weight"].to_numpy(), weak.weight)
    assert report.rows == 1000
    assert report.counts == {label: int((weak.positions == p).sum()) for p, label in enumerate(LABELS)}
    assert report.unlabeled == (weak.positions < 0).sum()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["posts.parquet", "weak.parquet"]


def test_two_workers_of_a_cluster_give_a_file_the_same_labels(posts, tmp_path, dask_executor):
    for name, model in (("majority", MajorityVote(by="expert", otherwise="ok")), ("robust", Robust())):
        here, there = (tmp_path / f"{name}-{where}.parquet" for where in ("here", "there"))
        options = {"labels": LABELS, "keep": ["id"], "progress": False}
        one = weak_label_file(posts, FUNCTIONS, model, here, **options)
        other = weak_label_file(posts, FUNCTIONS, model, there, executor=dask_executor, **options)
        assert pl.read_parquet(there).equals(pl.read_parquet(here))
        assert (other.rows, other.counts, other.unlabeled) == (one.rows, one.counts, one.unlabeled)
    assert not list(tmp_path.glob("*.parts"))


def test_a_fault_on_a_worker_has_the_row_of_the_file(posts, tmp_path, dask_executor):
    @labeling_function()
    def fails(row):
        if row["id"] >= "00700":
            raise RuntimeError("late")

    report = weak_label_file(
        posts, [fails, *FUNCTIONS], Robust(), tmp_path / "weak.parquet", labels=LABELS, executor=dask_executor,
        progress=False,
    )  # fmt: skip
    assert (report.faults["fails"].count, report.faults["fails"].first_row) == (300, 700)


SCRIPT = """
    import os, signal, sys
    from pathlib import Path
    from labeling.votes import applying
    from labeling import keyword, labeling_function
    from labeling.votes.weak_label_file import weak_label_file
    from labeling.votes.label_models import MajorityVote, Robust

    applying.SLICE = 200

    @labeling_function(version=1)
    def mine(row):
        if row["id"] == "00650" and Path(sys.argv[3]).exists():
            os.kill(os.getpid(), signal.SIGKILL)
        return "ok" if "kind" in row["text"] else None

    model = {"majority": MajorityVote(), "robust": Robust()}[sys.argv[4]]
    functions = [mine, keyword("bad", ["idiot", "fool"], "offensive"), keyword("blue", ["blue", "kind"], "ok")]
    report = weak_label_file(sys.argv[1], functions, model, sys.argv[2], labels=["ok", "offensive"], progress=False)
    print(report.resumed, report.rows)
"""


@pytest.mark.parametrize(("model", "resumed"), [("majority", 540), ("robust", 0)])
def test_a_killed_run_goes_on_where_it_stopped(posts, tmp_path, model, resumed):
    script, killer = tmp_path / "run.py", tmp_path / "kill"
    script.write_text(textwrap.dedent(SCRIPT))

    def run(name):
        command = [sys.executable, str(script), str(posts), str(tmp_path / name), str(killer), model]
        return subprocess.run(
            command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )

    straight = run("straight.parquet")
    assert straight.stdout.split() == ["0", "1000"], straight.stderr
    killer.touch()
    assert run("weak.parquet").returncode == -signal.SIGKILL
    assert not (tmp_path / "weak.parquet").exists()
    kept = sorted((tmp_path / "weak.parquet.parts").glob("*.npy" if model == "robust" else "*.parquet"))
    assert len(kept) == 3
    killer.unlink()
    again = run("weak.parquet")
    assert again.stdout.split() == [str(resumed), "1000"], again.stderr
    assert pl.read_parquet(tmp_path / "weak.parquet").equals(pl.read_parquet(tmp_path / "straight.parquet"))


def test_what_another_run_left_behind_is_not_taken_up(posts, tmp_path, monkeypatch):
    from labeling.votes import weak_label_file as label_file

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(label_file, "_join_parts", stop)
        with pytest.raises(KeyboardInterrupt):
            weak_label_file(posts, FUNCTIONS, MajorityVote(), tmp_path / "weak.parquet", labels=LABELS, progress=False)
    other = weak_label_file(
        posts, FUNCTIONS, MajorityVote(otherwise="ok"), tmp_path / "weak.parquet", labels=LABELS, progress=False
    )
    assert other.resumed == 0
    assert other.unlabeled == 0


def test_faults_are_reported_with_the_row_of_the_file(posts, tmp_path):
    @labeling_function()
    def fails(row):
        if row["id"] >= "00700":
            raise RuntimeError("late")

    report = weak_label_file(
        posts, [fails, *FUNCTIONS], Robust(), tmp_path / "weak.parquet", labels=LABELS, progress=False
    )
    assert list(report.faults) == ["fails"]
    assert (report.faults["fails"].count, report.faults["fails"].first_row) == (300, 700)


def test_an_empty_file_gives_an_empty_file(tmp_path):
    pl.DataFrame(schema={"text": pl.String}).write_parquet(tmp_path / "none.parquet")
    report = weak_label_file(
        tmp_path / "none.parquet", FUNCTIONS, MajorityVote(), tmp_path / "weak.parquet", labels=LABELS, progress=False
    )
    assert report.rows == 0
    assert pl.read_parquet(tmp_path / "weak.parquet").height == 0


def test_a_column_to_keep_must_be_there(posts, tmp_path):
    with pytest.raises(ValueError, match="keep names 'title', which is no column of"):
        weak_label_file(posts, FUNCTIONS, MajorityVote(), tmp_path / "w.parquet", labels=LABELS, keep=["title"])


def test_a_frame_is_no_file(posts, tmp_path):
    frame = pl.read_parquet(posts)
    for source in (frame, frame.to_pandas()):
        with pytest.raises(TypeError, match=r"reads a Parquet file, got a DataFrame. Write it to one first"):
            weak_label_file(source, FUNCTIONS, MajorityVote(), tmp_path / "w.parquet", labels=LABELS, progress=False)
    assert list(tmp_path.iterdir()) == [posts]
