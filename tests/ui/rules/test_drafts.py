"""What the form of a rule makes of what is typed."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from labeling.store.records import FunctionInfo
from labeling.votes.running import run_functions
from ui.rules.drafts import Draft, describe, draft_of, typed


def votes(draft: Draft, texts: list[str]) -> list[int]:
    frame = pl.DataFrame({"text": texts, "likes": [3, 5]})
    return [int(v) for v in run_functions([draft.build("r")], frame, labels=["ok", "bad"]).values[:, 0]]


def test_a_pattern_ignores_case_unless_told_otherwise() -> None:
    texts = ["IDIOT", "idiot"]
    assert votes(Draft("regex", label="bad", pattern="idiot"), texts) == [1, 1]
    assert votes(Draft("regex", label="bad", pattern="idiot", case_sensitive=True), texts) == [-1, 1]


def test_a_comparison_reads_numbers_as_numbers() -> None:
    draft = Draft("comparison", label="bad", column="likes", operator=">", value=typed("4", pl.Int64()))
    assert votes(draft, ["a", "b"]) == [-1, 1]


@pytest.mark.parametrize(("text", "dtype"), [("many", pl.Int64()), ("maybe", pl.Boolean())])
def test_a_value_of_another_type_is_refused(text: str, dtype: pl.DataType) -> None:
    with pytest.raises(ValueError, match=text):
        typed(text, dtype)


def test_the_pieces_found_are_those_that_vote() -> None:
    rule = Draft("keyword", label="bad", words=("idiot", "white house")).build("r")
    assert rule.found_in(["An IDIOT in the White  House", "idiotic"]) == [["IDIOT", "White  House"], []]


@pytest.mark.parametrize(
    "draft",
    [
        Draft("keyword", "r", "ann", "bad", None, ("a b", "c"), whole_words=False, case_sensitive=True),
        Draft("regex", "r", None, "bad", "title", pattern="x+"),
        Draft("regex", "r", None, "bad", pattern="x+", case_sensitive=True),
        Draft("comparison", "r", None, "ok", "likes", operator=">=", value=3),
    ],
)
def test_a_stored_rule_comes_back_as_the_draft_it_was(draft: Draft) -> None:
    rule = draft.build("r")
    spec = {key: value for key, value in rule.spec.items() if key != "label"}
    info = FunctionInfo("r", rule.expert, rule.kind, draft.label, 1, spec, True, datetime(2026, 1, 1, tzinfo=UTC))
    assert draft_of(info) == draft
    assert describe(info)


@pytest.mark.parametrize(
    ("draft", "said"),
    [
        (Draft("keyword", label="bad", words=("senate", "election")), "matches senate, election (whole words)"),
        (Draft("keyword", label="bad", words=("x",), whole_words=False), "matches x (parts of words too)"),
        (Draft("regex", label="bad", pattern="x+", case_sensitive=True), "matches x+"),
        (Draft("comparison", label="bad", column="likes", operator=">=", value=3), "likes is at least 3"),
        (Draft("comparison", label="bad", operator="is_empty"), "the text is empty"),
    ],
)
def test_a_stored_rule_is_said_in_words(draft: Draft, said: str) -> None:
    spec = draft.build("r").spec
    info = FunctionInfo("r", None, draft.kind, None, 1, spec, True, datetime(2026, 1, 1, tzinfo=UTC))
    assert describe(info) == said
