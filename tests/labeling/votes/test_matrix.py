"""The label matrix: Snorkel's table where both define it, and errors that name the shape."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labeling.functions.makers import keyword, labeling_function
from labeling.votes.matrix import LabelMatrix
from labeling.votes.patterns import Patterns
from labeling.votes.running import run_functions

LABELS = ("a", "b", "c")
VOTES = hnp.arrays(np.int8, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(-1, 2))


@pytest.mark.filterwarnings("ignore:Input has data type:FutureWarning")
@settings(deadline=None)
@given(votes=VOTES, data=st.data())
def test_the_summary_equals_snorkels(votes, data):
    from snorkel.labeling import LFAnalysis

    gold = data.draw(hnp.arrays(np.int64, len(votes), elements=st.integers(0, 2)))
    summary = LabelMatrix.from_votes(votes, LABELS, gold=gold).summary()
    oracle = LFAnalysis(votes.astype(int))
    table = oracle.lf_summary(gold)
    voted = (votes != -1).any(axis=0)
    for ours, theirs in (("coverage", "Coverage"), ("overlaps", "Overlaps"), ("conflicts", "Conflicts")):
        assert np.allclose(summary[ours].to_numpy(), table[theirs].to_numpy())
    for ours, theirs in (("correct", "Correct"), ("incorrect", "Incorrect"), ("accuracy", "Emp. Acc.")):
        assert np.allclose(summary[ours].cast(pl.Float64).to_numpy()[voted], table[theirs].to_numpy()[voted])
    assert summary["accuracy"].is_null().to_list() == (~voted).tolist()
    polarity = [[LABELS.index(label) for label in labels] for labels in summary["polarity"].to_list()]
    assert polarity == [[int(p) for p in found] for found in table["Polarity"]]


@settings(deadline=None)
@given(votes=VOTES, data=st.data())
def test_patterns_are_the_matrix_in_fewer_rows(votes, data):
    gold = data.draw(hnp.arrays(np.int64, len(votes), elements=st.integers(-1, 2)))
    matrix = LabelMatrix.from_votes(votes, LABELS, gold=gold)
    patterns = matrix.patterns
    rows = np.column_stack([patterns.values, patterns.gold])
    assert np.array_equal(patterns.values[patterns.inverse], votes)
    assert np.array_equal(patterns.gold[patterns.inverse], gold)
    assert len(np.unique(rows, axis=0)) == len(rows)
    assert patterns.counts.tolist() == np.bincount(patterns.inverse).tolist()


@settings(deadline=None)
@given(votes=VOTES, cut=st.integers(0, 12))
def test_patterns_of_batches_join_to_those_of_the_whole(votes, cut):
    matrix = LabelMatrix.from_votes(votes, LABELS)
    joined = Patterns.concat([matrix.block(0, cut).patterns, matrix.block(cut, len(matrix)).patterns])
    assert joined.values.tolist() == matrix.patterns.values.tolist()
    assert joined.counts.tolist() == matrix.patterns.counts.tolist()


def test_patterns_wider_than_a_word_are_found_too():
    votes = np.random.default_rng(0).integers(-1, 2, size=(4, 100)).astype(np.int8)[[0, 1, 2, 3, 1, 0]]
    patterns = LabelMatrix.from_votes(votes, ["a", "b"]).patterns
    assert len(patterns) == 4
    assert np.array_equal(patterns.values[patterns.inverse], votes)


def test_accuracy_counts_items_with_gold_only():
    summary = LabelMatrix.from_votes([[0], [1], [0], [-1]], LABELS, gold=[0, 0, -1, 0]).summary()
    assert summary.select("correct", "incorrect", "accuracy").row(0) == (1, 1, 0.5)


def test_without_gold_there_is_no_accuracy():
    assert LabelMatrix.from_votes([[0]], LABELS).summary()["accuracy"].to_list() == [None]


def test_the_frame_names_classes():
    matrix = LabelMatrix.from_votes([[0, -1], [2, 1]], LABELS, names=["x", "y"], item_ids=[7, 9])
    assert matrix.frame().to_dicts() == [{"item_id": 7, "x": "a", "y": None}, {"item_id": 9, "x": "c", "y": "b"}]


def test_functions_leave_their_cost_and_faults_in_the_summary():
    @labeling_function()
    def fails(row):
        raise RuntimeError("no model")

    functions = [keyword("k", ["x"], "a", expert="ann"), fails]
    votes = run_functions(functions, pl.DataFrame({"text": ["x", "y"]}), LABELS)
    summary = LabelMatrix.from_functions(votes, functions, LABELS, item_ids=[11, 12]).summary()
    assert summary["kind"].to_list() == ["keyword", "python"]
    assert summary["expert"].to_list() == ["ann", None]
    assert summary["first_fault"].to_list() == [None, "item 11: RuntimeError: no model"]
    assert summary["faults"].to_list() == [0, 2]
    assert (summary["seconds"] > 0).all()


def test_of_repeated_answers_the_last_counts():
    matrix = LabelMatrix.from_answers(["i", "j", "i"], ["ann", "bob", "ann"], ["a", "b", "c"], labels=LABELS)
    assert matrix.values.tolist() == [[2, -1], [-1, 1]]
    assert [source.name for source in matrix.sources] == ["ann", "bob"]
    with pytest.raises(ValueError, match="'d', which is not a class"):
        LabelMatrix.from_answers(["i"], ["ann"], ["d"], labels=LABELS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"votes": [[3]]}, "votes hold 3, but there are 3 classes"),
        ({"votes": [[-2]]}, "votes hold -2"),
        ({"votes": [[0.5]]}, "integers from -1"),
        ({"votes": [[float("nan")]]}, "integers from -1"),
        ({"votes": [["a"]]}, "integers from -1"),
        ({"votes": [0, 1]}, r"got \(2,\)"),
        ({"votes": [[0]], "gold": [0, 1]}, "gold has 2 entries"),
        ({"votes": [[0]], "item_ids": [0, 1]}, "item_ids has 2 entries"),
        ({"votes": [[0]], "names": ["x", "y"]}, "sources has 2 entries"),
        ({"votes": [[0]], "experts": ["x", "y"]}, "experts has 2 entries"),
    ],
)
def test_wrong_votes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        LabelMatrix.from_votes(labels=LABELS, **arguments)


def test_whole_numbers_held_as_floats_are_votes():
    assert LabelMatrix.from_votes([[0.0, -1.0]], LABELS).values.dtype == np.int8


def test_a_notebook_shows_the_summary():
    html = LabelMatrix.from_votes([[0, 1], [-1, -1]], ["a", "<b>"])._repr_html_()
    assert "2 items x 2 sources" in html
    assert "50.0% of the items have a vote, 50.0% a conflict" in html
    assert "<b>" not in html.partition("<div>")[0]


def test_no_sources_and_no_items_have_a_summary():
    assert LabelMatrix.from_votes(np.empty((3, 0), int), LABELS).summary().height == 0
    assert LabelMatrix.from_votes(np.empty((0, 2), int), LABELS).summary()["coverage"].to_list() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("items", "people", "answers", "hint"),
    [
        ([1, 2], ["ann", "ann"], ["ok", None], "Answer 1 has no answer: None"),
        ([1, float("nan")], ["ann", "ann"], ["ok", "ok"], "Answer 1 has no item: nan"),
        ([1, 2], [None, "ann"], ["ok", "ok"], "Answer 0 has no annotator"),
        ([1, "a"], ["ann", "ann"], ["ok", "ok"], "Item ids are all of one kind, got int, str"),
        ([1, 2], ["ann", "ann"], ["ok", 1], "Answers are named by texts, got 1. Pass '1'"),
        ([1, 2], ["ann"], ["ok", "ok"], "three lists of one length"),
    ],
)
def test_answers_that_cannot_be_compared_are_refused(items, people, answers, hint):
    with pytest.raises(ValueError, match=hint):
        LabelMatrix.from_answers(items, people, answers)
