import json

import numpy as np
import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, keyword
from labeling.formats.writing.export_formats import EXPORT_FORMATS
from labeling.formats.writing.whole_files import digest
from strategies import Entropy, LeastConfidence, VariableUncertainty

LABELS = ["ok", "offensive"]
TEXTS = ["you idiot", "good morning", "you idiot", "thanks", "idiot?", "fine|day"]


@pytest.fixture
def project(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    frame = pl.DataFrame(
        {
            "id": [f"00{n}" for n in range(6)],
            "text": TEXTS,
            "label": ["offensive", "ok", "offensive", "ok", "offensive", "ok"],
            "likes": [3, None, 3, 6, 7, 8],
            "mail": ["ann@example.org"] * 6,
        }
    )
    project.add_items(frame, gold="label", private=["mail"])
    project.add_functions([keyword("insult", ["idiot"], "offensive", expert="bo")])
    project.weak_label(MajorityVote())
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=2, seed=1, stop=[LabelBudget(2)])
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    return project


def exported(project, tmp_path, **choices):
    path = tmp_path / "out.parquet"
    project.export(path, **choices)
    return pl.read_parquet(path)


@pytest.mark.parametrize("source", ["human", ["human"], ["weak", "human"]])
def test_a_source_keeps_its_rows_alone(project, tmp_path, source):
    wanted = {source} if isinstance(source, str) else set(source)
    frame = exported(project, tmp_path, source=source)
    labels = project.labels().filter(pl.col("source").is_in(list(wanted)))
    assert set(frame["source"]) == wanted
    assert set(frame["item_id"]) == set(labels["item_id"])


def test_a_confidence_keeps_what_is_at_least_that_sure(project, tmp_path):
    labels = project.labels()
    least = np.float32(labels["confidence"].max())
    frame = exported(project, tmp_path, min_confidence=least)
    assert set(frame["item_id"]) == set(labels.filter(pl.col("confidence") >= float(least))["item_id"])


def test_a_split_keeps_the_hold_out_or_all_but_it(project, tmp_path):
    with pytest.raises(ValueError, match="no hold-out"):
        project.export(tmp_path / "out.csv", split="test")
    project.set_holdout(0.5, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    test, train = (set(exported(project, tmp_path, split=split)["item_id"]) for split in ("test", "train"))
    assert test == held
    assert train == set(project.items()["item_id"]) - held


def test_columns_choose_among_those_of_the_items(project, tmp_path):
    whole = set(exported(project, tmp_path).columns)
    assert whole - set(exported(project, tmp_path, columns=["text"]).columns) == {"likes"}
    assert whole - set(exported(project, tmp_path, columns="likes").columns) == {"text"}
    assert whole - set(exported(project, tmp_path, columns=[]).columns) == {"text", "likes"}


@pytest.mark.parametrize("where", ["rude", keyword("any", ["idiot"], label="ok"), pl.col("text").str.contains("idiot")])
def test_a_filter_keeps_what_it_picks_out(project, tmp_path, where):
    project.save_filter("rude", keyword("rude", ["idiot"], label="any"))
    frame = exported(project, tmp_path, where=where)
    assert frame["text"].to_list() == ["you idiot", "you idiot", "idiot?"]


@pytest.mark.parametrize("kind", EXPORT_FORMATS, ids=lambda kind: kind.name)
def test_private_columns_leave_by_an_explicit_choice_that_is_on_record(project, tmp_path, kind):
    path = tmp_path / f"out{kind.suffix}"
    with pytest.raises(ValueError, match="'mail' is private"):
        project.export(path, format=kind.name, columns=["text", "mail"])
    assert not path.exists()
    project.export(path, format=kind.name, columns=["text", "mail"], private=True)
    project.export(path, format=kind.name)
    assert project.exports()["private"].to_list() == [[], ["mail"]]


def test_what_was_chosen_is_on_record(project, tmp_path):
    project.export(
        tmp_path / "out.csv", source="human", min_confidence=0.5, columns=["text"], where=pl.col("likes") > 0
    )
    options = json.loads(project.exports()["options"][0])
    assert options["source"] == ["human"]
    assert options["min_confidence"] == 0.5
    assert options["columns"] == ["text"]
    assert "likes" in options["where"]


@pytest.mark.parametrize(
    ("choices", "error", "message"),
    [
        ({"source": "gold"}, ValueError, "no source 'gold'.*human, weak, model"),
        ({"source": []}, ValueError, "names none"),
        ({"source": [1]}, TypeError, "takes names, got 1"),
        ({"min_confidence": 1.5}, ValueError, "from 0 to 1, got 1.5"),
        ({"min_confidence": float("nan")}, ValueError, "from 0 to 1, got nan"),
        ({"min_confidence": True}, ValueError, "from 0 to 1, got True"),
        ({"min_confidence": "0.9"}, ValueError, "from 0 to 1, got '0.9'"),
        ({"split": "dev"}, ValueError, "no split 'dev'.*train, test"),
        ({"columns": ["body"]}, ValueError, "no column 'body'.*text"),
        ({"where": "rude"}, LookupError, "no filter 'rude'"),
        ({"where": 3}, TypeError, "got 3"),
        ({"where": pl.col("mail") == "x"}, ValueError, "mail"),
        ({"where": pl.col("likes") + 1}, ValueError, "true or false"),
        ({"where": pl.col("likes") > 99}, ValueError, "No row would be exported: none of the 5 items"),
        ({"source": "human", "where": pl.col("likes") > 99}, ValueError, "No row would be exported"),
    ],
)
def test_choices_that_cannot_be_made_say_so_and_write_nothing(project, tmp_path, choices, error, message):
    with pytest.raises(error, match=message):
        project.preview_export(**choices)
    with pytest.raises(error, match=message):
        project.export(tmp_path / "out.csv", **choices)
    assert not (tmp_path / "out.csv").exists()
    assert project.exports().is_empty()


@pytest.mark.parametrize("choices", [{}, {"source": "human"}, {"columns": ["text"]}], ids=str)
def test_a_preview_says_what_the_export_then_holds(project, tmp_path, choices):
    preview = project.preview_export(rows=2, **choices)
    frame = exported(project, tmp_path, **choices)
    counts = frame.group_by("label", "source", "split").len("rows").cast({"rows": pl.Int64})
    assert preview.rows == frame.height
    assert preview.items == frame["item_id"].n_unique()
    assert set(preview.counts.iter_rows()) == set(counts.iter_rows())
    assert preview.first.equals(frame.drop("votes").head(2))
    assert project.exports().height == 1


def test_an_order_leaves_out_what_it_does_not_list(project, tmp_path):
    frame = exported(project, tmp_path, order=["weak"])
    assert set(frame["source"]) == {"weak", None}
    assert frame.filter(pl.col("label").is_not_null())["text"].to_list() == ["you idiot", "you idiot", "idiot?"]
    with pytest.raises(ValueError, match="gold"):
        project.export(tmp_path / "out.csv", order=["gold"])


def test_distributions_of_other_sources_go_by_their_own_names(project, tmp_path):
    frame = exported(project, tmp_path, probabilities="weak")
    assert frame.filter(pl.col("text") == "idiot?")["weak_probabilities"].to_list() != [None]
    assert "weak_probabilities" not in exported(project, tmp_path).columns


def test_each_row_says_why_its_item_was_asked(project, tmp_path):
    frame = exported(project, tmp_path)
    asked = frame.filter(pl.col("source") == "human")
    assert asked["asked_loop"].unique().to_list() == ["first"]
    assert asked["asked_strategy"].unique().to_list() == ["Entropy"]
    assert asked["asked_round"].unique().to_list() == [0]
    queries = {record.item_id: record.score for record in project.ledger.asked.all()}
    assert dict(asked.select("item_id", "asked_score").iter_rows()) == queries
    assert frame.filter(pl.col("source") != "human")["asked_loop"].is_null().all()


def test_a_question_that_nobody_has_answered_yet_tells_why_too(project, tmp_path):
    first = {record.item_id for record in project.ledger.asked.all()}
    waiting = project.pool_loop("second", strategy=Entropy(), batch_size=4, seed=2).ask("bob")
    by = dict(exported(project, tmp_path).unique("item_id").select("item_id", "asked_loop").iter_rows())
    assert by == dict.fromkeys(first, "first") | dict.fromkeys((query.item_id for query in waiting), "second")


def test_rows_of_a_stream_say_why_they_were_asked(project, tmp_path):
    stream = project.stream_loop("live", strategy=LeastConfidence(), budget=VariableUncertainty(0.9), seed=1)
    decision = stream.offer({"text": "who knows", "likes": 1})
    stream.tell(decision.query, "ok", annotator="ann")
    row = exported(project, tmp_path).filter(pl.col("item_id") == decision.item_id).row(0, named=True)
    assert (row["asked_loop"], row["asked_score"]) == ("live", pytest.approx(decision.score))
    assert row["asked_strategy"].startswith("LeastConfidence")


def test_a_folder_says_what_it_holds(project, tmp_path):
    datasets = pytest.importorskip("datasets")
    report = project.export(tmp_path / "out", columns=["text"])
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for said in ("human (people)", "6 in train", "| insult | 1 | keyword | offensive | bo |"):
        assert said in card
    for said in ("MajorityVote", "first", "Entropy", "1 person (ann)", "load_from_disk", f"{project.version() - 1}"):
        assert said in card
    assert '"columns"' in card
    assert report.sha256 == digest(tmp_path / "out") == project.exports()["sha256"][0]
    data = datasets.load_from_disk(str(tmp_path / "out"))["train"]
    assert data.features["label"].names == data.features["gold"].names == LABELS
    labels = dict(project.labels().select("item_id", "label").iter_rows())
    expected = [LABELS.index(labels[item]) if item in labels else None for item in data["item_id"]]
    assert data["label"][:] == expected


def test_a_card_shows_names_as_they_are(sqlite_url, tmp_path):
    pytest.importorskip("datasets")
    project = Project.create("a <b>| `c`", LABELS, storage=sqlite_url, description="# not a heading")
    project.add_items(pl.DataFrame({"text": ["x"]}))
    project.export(tmp_path / "out")
    lines = (tmp_path / "out" / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# a &lt;b>\\| \\`c\\`"
    assert lines[2] == "\\# not a heading"


def test_an_order_names_each_source_once(project):
    with pytest.raises(ValueError, match="each once"):
        project.preview_export(order=["human", "human"])
