"""Running functions: faults are counted, mistakes are named, blocks make no difference."""

import traceback

import polars as pl
import pytest

from labeling.functions.makers import ABSTAIN, keyword, labeling_function, regex, when
from labeling.votes import running
from labeling.votes.running import Faults, Votes, check_functions, run_functions

LABELS = ("ok", "offensive")
POSTS = pl.DataFrame({"text": ["a secret post", "b", "c idiot", None], "score": [1, 2, 3, 4]})


@labeling_function()
def score_by_word(row):
    return {1: "ok", 2: "offensiv", 3: -1}[row["score"]]


@labeling_function()
def to_number(row):
    return "ok" if int(row["text"]) else ABSTAIN


@labeling_function(labels=["ok"])
def beyond_its_labels(row):
    return "offensive" if row["score"] == 1 else None


def test_exceptions_and_unknown_answers_become_abstains_that_are_counted():
    votes = run_functions([score_by_word, keyword("k", ["b"], "ok")], POSTS, LABELS)
    assert votes.values[:, 0].tolist() == [0, -1, -1, -1]
    assert votes.values[:, 1].tolist() == [-1, 0, -1, -1]
    assert votes.faults[1] is None
    fault = votes.faults[0]
    assert (fault.count, fault.first_row) == (2, 1)
    assert "'offensiv', which is neither a class nor ABSTAIN. Did you mean 'offensive'?" in fault.error


@pytest.mark.parametrize("condition", [pl.col("text").str.to_integer() > 3, pl.col("text").cast(pl.Float64) > 3])
def test_the_text_of_an_item_never_shows_in_the_refusal_of_a_condition(condition):
    with pytest.raises(ValueError, match=r"'w' over columns text fails: ") as caught:
        run_functions([when("w", condition, "ok")], POSTS, LABELS)
    said = "".join(traceback.format_exception(caught.value)).partition("ValueError: ")[2]
    assert not any(text in said for text in ("a secret post", "c idiot", "secret"))


def test_the_text_of_an_item_never_shows_in_a_fault():
    fault = run_functions([to_number], POSTS, LABELS).faults[0]
    assert fault.error.startswith("ValueError: invalid literal for int()")
    assert "secret" not in fault.error
    assert fault.count == 4


def test_part_of_an_items_text_never_shows_in_a_fault():
    @labeling_function()
    def second_word(row):
        return "ok" if int(row["text"].split()[1]) else ABSTAIN

    assert "secret" not in run_functions([second_word], POSTS, LABELS).faults[0].error


def test_a_vote_beyond_the_declared_labels_is_a_fault():
    fault = run_functions([beyond_its_labels], POSTS, LABELS).faults[0]
    assert (fault.count, fault.first_row) == (1, 0)
    assert "Known: ok." in fault.error


def test_unhashable_answers_are_faults():
    @labeling_function()
    def strange(row):
        return ["ok"]

    votes = run_functions([strange], POSTS, LABELS)
    assert votes.values[:, 0].tolist() == [-1] * 4
    assert votes.faults[0].count == 4


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ([keyword("k", ["a"], "offensiv")], "'k' votes for 'offensiv'.*Did you mean 'offensive'.*Known: ok, offensive"),
        ([keyword("k", ["a"], "ok", column="Text")], "reads column 'Text', which is not there. Did you mean 'text'"),
        ([keyword("k", ["a"], "ok"), regex("k", "a", "ok")], "given twice: k"),
        ([when("w", pl.col("scores") > 2, "ok")], "reads column 'scores'.*Did you mean 'score'"),
    ],
)
def test_mistakes_are_named_with_what_would_work(functions, message):
    with pytest.raises(ValueError, match=message):
        check_functions(functions, POSTS.columns, LABELS)


def test_a_rule_about_the_text_needs_a_text_column():
    with pytest.raises(ValueError, match=r"no column is the text. Set column="):
        check_functions([keyword("k", ["a"], "ok")], ["title"], LABELS, text=None)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (pl.col("text").str.len_chars(), "'w' over columns text gives UInt32, not true or false"),
        (pl.col("text").dt.year() > 3, r"'w' over columns text fails: .*\(text is String\)"),
        (pl.col("score") > pl.col("score").mean(), "'w' over columns score looks at other rows"),
        (pl.col("score").shift(-1) > 2, "looks at other rows"),
    ],
)
def test_an_expression_that_cannot_vote_names_its_function_and_columns(expression, message):
    with pytest.raises(ValueError, match=message):
        run_functions([keyword("k", ["a"], "ok"), when("w", expression, "ok")], POSTS, LABELS)


def test_constants_and_nulls_are_expressions_too():
    functions = [
        when("all", pl.lit(True), "ok"),
        when("none", pl.lit(None), "ok"),
        when("n", pl.col("text") == "b", "ok"),
    ]
    assert run_functions(functions, POSTS, LABELS).values.tolist() == [
        [0, -1, -1],
        [0, -1, 0],
        [0, -1, -1],
        [0, -1, -1],
    ]


def test_blocks_change_neither_votes_nor_faults(monkeypatch):
    functions = [score_by_word, keyword("k", ["b", "idiot"], "offensive")]
    whole = run_functions(functions, POSTS, LABELS)
    monkeypatch.setattr(running, "AT_ONCE", 2)
    monkeypatch.setattr(running, "ROWS", 1)
    parts = run_functions(functions, POSTS, LABELS)
    assert parts.values.tolist() == whole.values.tolist()
    assert parts.faults == whole.faults


def test_votes_of_consecutive_parts_join():
    functions = [score_by_word]
    parts = [run_functions(functions, part, LABELS) for part in (POSTS[:1], POSTS[1:2], POSTS[2:])]
    joined = Votes.concat(parts)
    assert joined.values[:, 0].tolist() == [0, -1, -1, -1]
    assert joined.faults[0] == Faults(2, 1, parts[1].faults[0].error)


def test_no_rows_and_no_functions_are_fine():
    assert run_functions([keyword("k", ["a"], "ok")], POSTS[:0], LABELS).values.shape == (0, 1)
    assert run_functions([], POSTS, LABELS).values.shape == (4, 0)


def test_more_classes_than_a_byte_holds_take_two_bytes():
    labels = [f"class {i}" for i in range(200)]
    votes = run_functions([keyword("k", ["b"], "class 199")], POSTS, labels).values
    assert votes.dtype == "int16"
    assert votes[:, 0].tolist() == [-1, 199, -1, -1]


def test_numbers_are_text_for_a_keyword():
    assert run_functions([keyword("k", ["3"], "ok", column="score")], POSTS, LABELS).values[:, 0].tolist() == [
        -1,
        -1,
        0,
        -1,
    ]
