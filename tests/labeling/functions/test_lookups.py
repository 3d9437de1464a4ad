"""Functions that look things up: in lists, columns, classifiers and among examples."""

import json

import numpy as np
import polars as pl
import pytest

from labeling.functions.lookups import lookup, model, nearest, votes_column
from labeling.votes.applying import apply
from labeling.votes.running import run_functions

LABELS = ("ok", "offensive")


def votes(function, frame, text="text"):
    return run_functions([function], frame, LABELS, text=text).values[:, 0].tolist()


def test_a_list_is_looked_up_whole_cell_by_whole_cell():
    frame = pl.DataFrame({"text": ["Ann", " bob ", "ann b", None]})
    assert votes(lookup("l", ["ann", "Bob"], "ok"), frame) == [0, 0, -1, -1]
    assert votes(lookup("l", ["ann", "Bob"], "ok", case_sensitive=True), frame) == [-1, -1, -1, -1]


def test_numbers_are_looked_up_as_they_are_written():
    assert votes(lookup("l", {"3": "ok", "4": "offensive"}, column="n"), pl.DataFrame({"n": [3, 4, 5]})) == [0, 1, -1]


def test_lists_come_from_files_and_frames(tmp_path):
    frame = pl.DataFrame({"text": ["a", "b"]})
    (tmp_path / "list.txt").write_text("a\n\n")
    (tmp_path / "table.csv").write_text("value,label\na,ok\nb,offensive\n")
    table = pl.read_csv(tmp_path / "table.csv")
    table.write_parquet(tmp_path / "table.parquet")
    assert votes(lookup("l", tmp_path / "list.txt", "ok"), frame) == [0, -1]
    for source in (tmp_path / "table.csv", tmp_path / "table.parquet", table):
        assert votes(lookup("l", source), frame) == [0, 1]


def test_values_without_classes_are_refused():
    with pytest.raises(ValueError, match=r"values without classes\. Give label="):
        lookup("l", ["a"])
    with pytest.raises(ValueError, match="has no values"):
        lookup("l", [], "ok")
    with pytest.raises(ValueError, match="votes for 'bad', which is not a class"):
        votes(lookup("l", {"a": "bad"}), pl.DataFrame({"text": ["a"]}))


def test_a_changed_list_is_a_changed_function():
    assert lookup("l", ["a"], "ok").fingerprint == lookup("l", ["a"], "ok", expert="ann").fingerprint
    assert lookup("l", ["a"], "ok").fingerprint != lookup("l", ["a", "b"], "ok").fingerprint


def test_votes_made_elsewhere_are_taken_over():
    frame = pl.DataFrame({"theirs": ["offensive", "ok", "unsure", None]})
    assert votes(votes_column("v", "theirs"), frame, text=None) == [1, 0, -1, -1]


SHARES = [{"ok": 0.9, "offensive": 0.1}, {"ok": 0.4, "offensive": 0.6}, {"ok": 0.5, "offensive": 0.5}, None]


@pytest.mark.parametrize(
    "cells",
    [
        SHARES,
        [json.dumps(cell) if cell else None for cell in SHARES],
        [list(cell.values()) if cell else None for cell in SHARES],
        [[{"label": name, "score": share} for name, share in (cell or {}).items()] for cell in SHARES],
    ],
    ids=["structures", "json", "numbers", "scores"],
)
def test_a_distribution_votes_by_its_likeliest_class_where_it_is_sure_enough(cells):
    frame = pl.DataFrame({"theirs": cells})
    assert votes(votes_column("v", "theirs"), frame, text=None) == [0, 1, -1, -1]
    assert votes(votes_column("v", "theirs", above=0.8), frame, text=None) == [0, -1, -1, -1]


@pytest.mark.parametrize(
    "cell",
    ["{", "{}", "[]", '{"ok": "much"}', '{"other": 0.9, "ok": 0.1}', '{"ok": NaN}', '{"ok": 0}', '[{"score": 1}]'],
)
def test_a_cell_that_is_no_distribution_over_the_classes_abstains(cell):
    assert votes(votes_column("v", "theirs"), pl.DataFrame({"theirs": [cell]}), text=None) == [-1]


def test_a_list_of_another_length_than_the_classes_is_an_error_that_names_the_function():
    with pytest.raises(ValueError, match=r"'v'.*3 numbers, where there are 2 classes"):
        votes(votes_column("v", "theirs"), pl.DataFrame({"theirs": [[0.1, 0.2, 0.7]]}), text=None)


def test_a_threshold_outside_0_and_1_is_an_error_and_none_leaves_the_fingerprint_as_it_was():
    with pytest.raises(ValueError, match="above is a share"):
        votes_column("v", "theirs", above=90)
    assert votes_column("v", "theirs").body == {"column": "theirs"}
    assert votes_column("v", "theirs", above=0.5).body == {"column": "theirs", "above": 0.5}


@pytest.fixture
def classifier():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    texts, labels = ["good day", "bad day"] * 20, ["ok", "offensive"] * 20
    return make_pipeline(CountVectorizer(), LogisticRegression(C=10)).fit(texts, labels)


def test_a_classifier_votes_where_it_is_sure(classifier):
    frame = pl.DataFrame({"text": ["good", "bad", "day", None]})
    assert votes(model("m", classifier, above=0.8), frame) == [0, 1, -1, -1]
    assert votes(model("m", classifier, above=0.0), frame)[:2] == [0, 1]


def test_a_classifier_reads_columns_and_names_its_classes():
    class Sign:
        def predict_proba(self, rows):
            return np.column_stack([rows[:, 0] > 0, rows[:, 0] <= 0]).astype(float)

    function = model("m", Sign(), columns=["x"], labels=["ok", "offensive"], version=1)
    assert votes(function, pl.DataFrame({"x": [1.0, -1.0]}), text=None) == [0, 1]
    assert function.fingerprint is not None
    assert model("m", Sign(), labels=["ok", "offensive"]).fingerprint is None


def test_a_classifier_that_fails_is_named():
    class Broken:
        classes_ = ("ok", "offensive")

        def predict_proba(self, rows):
            raise RuntimeError("no weights")

    with pytest.raises(Exception, match="'m' over columns text fails: RuntimeError: no weights"):
        votes(model("m", Broken()), pl.DataFrame({"text": ["a"]}))
    with pytest.raises(TypeError, match="needs a fitted classifier"):
        model("m", object())
    with pytest.raises(ValueError, match=r"probability in \[0, 1\], got 90"):
        model("m", Broken(), above=90)


def test_what_lies_near_an_example_gets_its_class():
    frame = pl.DataFrame({"e": [[2.0, 0.0], [0.0, 1.0], [1.0, 1.0], None]})
    near_one = nearest("n", [[1.0, 0.0], [0.0, 3.0]], "ok", column="e", above=0.9)
    assert votes(near_one, frame, text=None) == [0, 0, -1, -1]
    near_mean = nearest("n", [[1.0, 0.0], [0.0, 3.0]], "ok", column="e", above=0.9, to="prototype")
    assert votes(near_mean, frame, text=None) == [-1, -1, 0, -1]
    assert near_one.fingerprint != near_mean.fingerprint


def test_arrays_and_all_empty_columns_are_embeddings_too():
    function = nearest("n", [[1.0, 0.0]], "ok", column="e")
    frame = pl.DataFrame({"e": [[1.0, 0.0], [0.0, 1.0]]}, schema={"e": pl.Array(pl.Float32, 2)})
    assert votes(function, frame, text=None) == [0, -1]
    assert votes(function, pl.DataFrame({"e": [None]}, schema={"e": pl.List(pl.Float32)}), text=None) == [-1]


def test_examples_are_needed():
    with pytest.raises(ValueError, match=r"needs examples of the shape"):
        nearest("n", [], "ok", column="e")


def test_they_run_in_processes_too(classifier):
    frame = pl.DataFrame({"text": ["good", "bad"], "e": [[1.0, 0.0], [0.0, 1.0]]})
    functions = [
        model("m", classifier, above=0.8),
        nearest("n", [[1.0, 0.0]], "ok", column="e"),
        lookup("l", ["bad"], "offensive"),
        votes_column("v", "text"),
    ]
    expected = [[0, 0, -1, -1], [1, -1, 1, -1]]
    assert apply(functions, frame, LABELS, executor="processes").values.tolist() == expected


def test_one_list_of_another_length_abstains_and_stops_no_other_cell():
    frame = pl.DataFrame({"theirs": [[0.9, 0.1], [1.0], [0.2, 0.8]]})
    assert votes(votes_column("v", "theirs"), frame, text=None) == [0, -1, 1]
