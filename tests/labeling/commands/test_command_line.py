import json
import os
import subprocess
import sys

import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, keyword
from labeling.__main__ import commands
from labeling.formats.reading.tables import read_source
from strategies import Entropy
from tests.labeling.shell import ROOT, Shell

POSTS = "id,text,label\n007,you idiot,offensive\n008,good morning,ok\n009,=1+1,ok\n010,good morning,ok\nbroken\n"


@pytest.fixture
def shell(tmp_path):
    (tmp_path / "posts.csv").write_text(POSTS, encoding="utf-8")
    return Shell(tmp_path)


@pytest.fixture
def forum(shell):
    project = Project.create("forum", labels=["ok", "offensive"], storage=shell.storage)
    project.add_items(shell.folder / "posts.csv", id="id", gold="label", progress=False)
    return shell


def check(done, code, *words):
    """Check that a failed call says why in one line, without a traceback."""
    assert done.returncode == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().count("\n") == 0 or code == 2
    for word in words:
        assert word in done.stderr


def test_without_a_command_help_is_printed(shell):
    done = shell.process()
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("import", "weak-label", "export", "status", "serve", "demo", "refit", "simulate", "offer"):
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", [command.name for command in commands.registered_commands])
def test_each_command_has_help_with_examples(shell, command):
    done = shell(f"{command} --help")
    assert done.returncode == 0
    assert f"Examples:\n    python -m labeling {command}" in done.stdout


def test_import_makes_the_project_and_reports(shell):
    done = shell.process("import posts.csv --project forum --labels ok,offensive --id id --gold label --progress")
    assert done.returncode == 1, "a row was rejected"
    assert "1 rows were left out; all others are in" in done.stderr
    assert "5 rows: 3 added, 1 exact duplicates, 3 with gold, 1 rejected" in done.stdout
    assert "posts.csv, line 6: 1 fields where the header has 3" in done.stderr
    assert "import:" in done.stderr
    assert shell.project().items()["text"].to_list() == ["you idiot", "good morning", "=1+1"]


def test_the_same_file_again_adds_nothing(forum):
    done = forum("import posts.csv --project forum --id id --gold label")
    assert done.returncode == 1, "a row was rejected"
    assert "0 added" in done.stdout
    assert "import:" not in done.stderr


def test_import_reads_standard_input(shell):
    done = shell.process("import - --project forum --labels ok,bad", stdin='{"text": "olé"}\n')
    assert done.returncode == 0, done.stderr
    assert shell.project().items()["text"].to_list() == ["olé"]


@pytest.mark.parametrize("way", ["- < rows.jsonl", "/dev/stdin < rows.jsonl", "<(cat rows.jsonl)", "pipe"])
def test_import_reads_pipes(shell, way):
    (shell.folder / "rows.jsonl").write_text('{"text": "olé"}\n{"text": "b"}\n', encoding="utf-8")
    if way == "pipe":
        os.mkfifo(shell.folder / "pipe")
    else:
        (shell.folder / "pipe").touch()
    line = f"{sys.executable} -m labeling import {way} --project forum --labels ok,bad"
    fed = f"cat rows.jsonl > pipe & {line}" if way == "pipe" else line
    here = {"PYTHONPATH": str(ROOT), "LABELING_STORAGE": shell.storage}
    done = subprocess.run(
        ["bash", "-c", fed], cwd=shell.folder, env=os.environ | here, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert shell.project().items()["text"].to_list() == ["olé", "b"]


@pytest.mark.parametrize(
    "options", ["--gold label", "--text txet", "--id text --group text"], ids=["gold", "column", "parts"]
)
def test_a_first_import_that_fails_leaves_no_project(shell, options):
    check(shell(f"import posts.csv --project forum --labels yes,no {options}"), 1)
    check(shell("status --project forum"), 1, "forum")
    assert shell("import posts.csv --project forum --labels ok,offensive --gold label").returncode == 1
    check(shell(f"import posts.csv --project forum --labels ok,offensive {options.replace('label', 'text')}"), 1)
    assert shell.project().items().height == 3, "what was there stays"


def test_import_can_hold_out_a_share_of_the_gold(shell):
    done = shell("import posts.csv --project forum --labels ok,offensive --gold label --holdout 0.5")
    assert done.returncode == 1, "a row was rejected"
    assert "items held out" in done.stdout
    assert shell.project().status().holdout > 0


def test_a_holdout_that_cannot_be_drawn_makes_no_project(shell):
    check(shell("import posts.csv --project forum --labels ok,offensive --holdout 0.5"), 1, "no gold to hold out")
    check(shell("status --project forum"), 1, "no project 'forum'")


def test_a_file_that_cannot_be_read_makes_no_project(shell):
    (shell.folder / "page.csv").write_text("<html></html>")
    check(shell("import page.csv --project forum --labels ok,bad"), 1, "HTML page")
    check(shell("import gone.csv --project forum --labels ok,bad"), 1, "no file gone.csv")
    check(shell("status --project forum"), 1)
    assert not (shell.folder / "labeling.db").exists()


def test_calls_that_cannot_be_carried_out_say_why_and_exit_with_1(forum):
    check(forum("import posts.csv --project other"), 1, "'other'", "--labels")
    check(forum("import posts.csv --project forum --text txet"), 1, "txet", "id, text, label")
    check(forum.process("weak-label --project forum"), 1, "no labeling functions")
    check(forum("export labels.xlsx --project forum"), 1, ".csv, .jsonl or .parquet")
    check(forum("refit --project forum --loop first"), 1, "'first'", "none yet")
    check(forum("status", storage="sqlite:///gone.db"), 1, "gone.db")
    check(forum("status", storage="oracle://host/name"), 1, "oracle")
    assert sorted(path.name for path in forum.folder.iterdir() if "labeling.db" not in path.name) == ["posts.csv"]


@pytest.mark.parametrize(
    "line",
    [
        "frobnicate",
        "import",
        "import posts.csv",
        "import posts.csv --project forum --frob",
        "weak-label --project forum --by nobody",
        "weak-label --project forum --threshold many",
        "export - --project forum",
    ],
)
def test_wrong_calls_exit_with_2(forum, line):
    done = forum(line)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "Usage:" in done.stderr + done.stdout


def test_traceback_shows_where_an_error_came_from(shell):
    assert "Traceback" in shell.process("--traceback import gone.csv --project forum --labels ok,bad").stderr


def test_weak_label_prints_the_balance_and_keeps_the_run(forum):
    forum.project().add_functions([keyword("rude", ["idiot"], label="offensive", expert="ann")])
    done = forum("weak-label --project forum --by expert --threshold 0.5 --otherwise ok")
    assert done.returncode == 0, done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[2:4]] == [["ok", "2"], ["offensive", "1"]]
    assert done.stdout.startswith("Run 1: MajorityVote")
    assert forum.project().weak_run().frame()["label"].to_list() == ["offensive", "ok", "ok"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_export_writes_a_file_that_comes_back(forum, kind):
    done = forum(f"export labels.{kind} --project forum")
    assert done.returncode == 0, done.stderr
    table = read_source(forum.folder / f"labels.{kind}")
    assert table.is_export
    assert table.frame["text"].to_list() == ["you idiot", "good morning", "=1+1", "good morning"]
    assert table.text_of("id").to_list() == ["007", "008", "009", "010"]


def test_export_escapes_formulas_unless_told_otherwise(forum):
    assert "'=1+1" in forum("export - --format csv --project forum").stdout
    raw = forum("export - --format csv --project forum --raw-formulas").stdout
    assert "=1+1" in raw
    assert "'=1+1" not in raw


def test_export_to_standard_output_is_data_alone(forum):
    done = forum.process("export - --format jsonl --project forum")
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["007", "008", "009", "010"]


def test_export_writes_what_is_chosen(forum):
    project = forum.project()
    project.add_functions([keyword("rude", ["idiot"], "offensive")])
    project.weak_label(MajorityVote())
    project.save_filter("greeting", keyword("greeting", ["morning"], label="any"))
    preview = forum("export --preview --project forum --source weak")
    assert preview.returncode == 0, preview.stderr
    assert "1 rows of 1 items; columns: id, text" in preview.stdout
    assert project.exports().is_empty()
    done = forum("export - --format csv --project forum --source weak --min-confidence 0.5 --split train --column text")
    assert done.stdout.count("you idiot") == 1
    assert "good morning" not in done.stdout
    for choice in ("--filter greeting", "--where \"text LIKE 'good%'\""):
        assert forum(f"export - --format jsonl --project forum {choice}").stdout.count("good morning") == 2
    check(forum("export no.csv --project forum --source gold"), 1, "human, weak, model")
    check(forum("export no.csv --project forum --source model"), 1, "No row would be exported")
    check(forum("export no.csv --project forum --filter x --where y"), 2, "not both")
    check(forum("export no.csv --project forum --where 'likes >'"), 2, "no condition")
    check(forum("export --project forum"), 2, "Name a file")
    assert not (forum.folder / "no.csv").exists()


def test_export_writes_a_data_set_folder(forum):
    datasets = pytest.importorskip("datasets")
    done = forum("export data --format dataset --project forum")
    assert done.returncode == 0, done.stderr
    assert datasets.load_from_disk(str(forum.folder / "data"))["train"].num_rows == 4


def test_status_shows_projects_and_counts(forum):
    assert forum("status").stdout.splitlines()[1].split()[:2] == ["forum", "3"]
    status = json.loads(forum("status --project forum --json").stdout)
    assert (status["name"], status["labels"], status["items"]) == ("forum", ["ok", "offensive"], 3)
    assert "items      3" in forum("status --project forum").stdout
    assert json.loads(forum("status --json").stdout)[0]["name"] == "forum"


def test_refit_trains_the_loop(forum):
    project = forum.project()
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=2, seed=1, stop=[LabelBudget(3)])
    for query in loop.ask(annotator="ann", n=2):
        loop.tell(query, "offensive" if "idiot" in query.item["text"] else "ok")
    done = forum.process("refit --project forum")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Round 1: 2 labels")
    assert project.pool_loop("first").history()["labels"].to_list()[-1] == 2


def test_the_demo_is_made_once(shell):
    first, second = (shell("demo --no-serve --posts 60") for _ in range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    assert first.stdout == second.stdout
    assert len(Project.list(shell.storage)) == 1


def test_simulate_compares_strategies_with_random(shell):
    frame = pl.DataFrame({"text": [f"{'tea' if n % 2 else 'coffee'} {n % 7}" for n in range(60)]})
    frame.with_columns(label=pl.col("text").str.head(3)).write_parquet(shell.folder / "drinks.parquet")
    sizes = "--start 4 --batch-size 4 --rounds 2 --seeds 2"
    done = shell(f"simulate drinks.parquet --strategies k-center,margin {sizes} --out runs.parquet --target 0.5")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["strategy", "area", "95", "%", "at", "12", "labels", "to", "0.500", "s", "a", "round"]
    assert sorted(row.split()[0] for row in rows) == ["k-center", "margin", "random"]
    assert done.stderr == "18 rows in runs.parquet\n"
    assert pl.read_parquet(shell.folder / "runs.parquet").height == 18


def test_simulate_names_what_would_work(shell):
    check(shell("simulate posts.csv --strategies lucky"), 1, "no strategy 'lucky'", "margin")
    check(shell("simulate posts.csv --gold lable"), 1, "no column 'lable'", "id, text, label")


def test_a_file_is_labeled_by_the_rules_of_a_project(forum):
    rules = [keyword("rude", ["idiot"], label="offensive"), keyword("kind", ["thanks"], label="ok")]
    forum.project().add_functions(rules)
    pl.DataFrame({"text": ["an idiot", "thanks", "else"]}).write_parquet(forum.folder / "big.parquet")
    done = forum("weak-label -p forum --model Robust --file big.parquet --to weak.parquet")
    assert done.returncode == 0, done.stderr
    assert "3 rows" in done.stdout
    assert pl.read_parquet(forum.folder / "weak.parquet")["label"].to_list() == ["offensive", "ok", None]
    assert forum.project().weak_runs().is_empty()
    check(forum("weak-label -p forum --file big.parquet"), 2, "--to")


def test_known_answers_are_added_by_a_command(forum):
    (forum.folder / "answers.csv").write_text("id,truth\n008,offensive\n007,offensive\n", encoding="utf-8")
    done = forum("gold answers.csv --project forum --id id --gold truth")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 rows: 0 known answers added, 1 changed, 1 there already" in done.stdout
    (forum.folder / "more.csv").write_text("id,truth\n100,ok\n009,spam\n", encoding="utf-8")
    done = forum("gold more.csv --project forum --id id --gold truth")
    assert done.returncode == 1
    assert "1 with an id that no item has (100), 1 with a value that is no label: 'spam' (1)" in done.stdout


def test_labels_are_taken_from_a_column_of_the_file(shell):
    done = shell("import posts.csv --project forum --labels-from label --gold label")
    assert "3 with gold" in done.stdout
    assert shell.project().label_names == ("offensive", "ok")
    check(shell("import posts.csv --project two --labels-from text2 --gold label"), 1, "no column 'text2'")
    check(shell("import posts.csv --project two --labels-from label --labels ok,bad"), 2, "not both")


def test_an_import_is_taken_back_by_a_command(forum):
    assert "posts.csv" in forum("imports --project forum").stdout
    done = forum("undo-import 1 --project forum")
    assert done.stdout == ("Would take back posts.csv: 3 items, 3 known answers. Say --yes to do it.\n")
    assert forum.project().items().height == 3
    assert "Taken back posts.csv: 3 items" in forum("undo-import 1 --project forum --yes").stdout
    assert forum.project().items().height == 0
    check(forum("undo-import 1 --project forum --yes"), 1, "taken back already")


def test_a_project_is_archived_and_restored_by_commands(forum):
    assert forum("archive --project forum").returncode == 0
    assert "forum" not in forum("status").stdout
    check(forum("import posts.csv --project forum"), 1, "was archived on", "restore --project forum")
    assert forum("restore --project forum").returncode == 0
    assert "forum" in forum("status").stdout


def test_answers_given_elsewhere_come_in_by_a_command(forum):
    (forum.folder / "answers.csv").write_text("id,who,label\n007,ann,offensive\n007,bob,ok\n404,ann,ok\n")
    done = forum("annotations answers.csv --project forum --id id --annotator who")
    assert done.returncode == 1, "an id is not here"
    assert "3 rows: 2 answers added, 1 of items that are not here (404, …)" in done.stdout
    assert set(forum.project().annotations()["annotator"]) == {"ann", "bob"}
    again = forum.process(
        "annotations - --project forum --id id --annotator who", stdin="id,who,label\n007,ann,offensive\n"
    )
    assert (again.returncode, again.stdout) == (0, "1 rows: 0 answers added, 1 known already\n")


def test_known_answers_come_by_standard_input(forum):
    done = forum.process("gold - --project forum --gold label", stdin="id,label\n007,ok\n")
    assert (done.returncode, done.stdout) == (0, "1 rows: 0 known answers added, 1 changed\n")
