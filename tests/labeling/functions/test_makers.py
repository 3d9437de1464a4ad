"""Labeling functions: what they match, what they refuse, and when they count as changed."""

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.functions.makers import ABSTAIN, as_function, comparison, keyword, labeling_function, regex, when
from labeling.functions.rules import from_spec
from labeling.votes.running import run_functions

LABELS = ("ok", "offensive")
SPICY = re.compile("hot")


def fires(function, texts, column="text"):
    votes = run_functions([function], pl.DataFrame({column: texts}, strict=False), LABELS).values
    return (votes[:, 0] != -1).tolist()


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("senate", "The SENATE, again", True),
        ("senate", "senates", False),
        ("senate", "_senate", False),
        ("c++", "I like C++!", True),
        ("c++", "abc++", False),
        ("!!!", "wow!!!", True),
        ("white trash", "white \n trash", True),
        ("straße", "Die STRAßE ist leer", True),
        ("été", "un ÉTÉ chaud", True),
        ("été", "prêtété", False),
        ("#b", "a #b", True),
        ("a.c", "abc", False),
    ],
)
def test_a_keyword_is_a_whole_word_in_any_case(word, text, found):
    assert fires(keyword("k", [word], "ok"), [text]) == [found]


def test_a_keyword_can_be_part_of_a_word_and_mind_case():
    assert fires(keyword("k", ["cat"], "ok", whole_words=False), ["concatenate", "CAT", "dog"]) == [True, True, False]
    assert fires(keyword("k", ["Cat"], "ok", case_sensitive=True), ["cat", "a Cat", "Cats"]) == [False, True, False]


WORD = st.text(alphabet="abéß1_+.# ", min_size=1, max_size=5).filter(str.strip)


@settings(deadline=None)
@given(words=st.lists(WORD, min_size=1, max_size=3), text=st.text(alphabet="abBÉéß1_+.# \n", max_size=20))
def test_keywords_match_what_python_finds(words, text):
    def found(word):
        parts = [re.escape(part) for part in word.lower().split()]
        edges = word.strip()
        left = r"(?<!\w)" if re.match(r"\w", edges[0]) else ""
        right = r"(?!\w)" if re.match(r"\w", edges[-1]) else ""
        return re.search(left + r"\s+".join(parts) + right, text.lower()) is not None

    assert fires(keyword("k", words, "ok"), [text]) == [any(map(found, words))]


def test_one_word_may_be_given_without_a_list():
    assert keyword("k", "senate", "ok") == keyword("k", ["senate"], "ok")


@pytest.mark.parametrize("words", [[], [" "], [3]])
def test_empty_words_are_refused(words):
    with pytest.raises(ValueError, match="needs words that are not empty"):
        keyword("k", words, "ok")


def test_a_broken_pattern_names_the_function_and_a_way_out():
    with pytest.raises(ValueError, match=r"'insult'.*unclosed group.*use keyword\(\)"):
        regex("insult", "(abc", "ok")
    with pytest.raises(ValueError, match="no look-around"):
        regex("insult", r"(?<!a)b", "ok")


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        (">", 2, [False, True, False]),
        ("<=", 2, [True, False, False]),
        ("!=", 2, [False, True, False]),
        ("is_empty", None, [False, False, True]),
        ("is_not_empty", None, [True, True, False]),
        ("contains", "1", [False, True, False]),
        ("longer_than", 1, [False, True, False]),
    ],
)
def test_a_comparison_abstains_on_empty_cells(operator, value, expected):
    assert fires(comparison("c", "score", operator, value, "ok"), [2, 10, None], column="score") == expected


def test_a_comparison_refuses_what_it_cannot_compare():
    with pytest.raises(ValueError, match="no operator '~'"):
        comparison("c", "score", "~", 2, "ok")
    with pytest.raises(ValueError, match="needs a value"):
        comparison("c", "score", ">", None, "ok")
    with pytest.raises(ValueError, match="needs a number, got '3'"):
        comparison("c", "score", "longer_than", "3", "ok")


@pytest.mark.parametrize(
    "function",
    [
        keyword("k", ["a b", "c++"], "ok", expert="ann", column="title", whole_words=False, case_sensitive=True),
        regex("r", r"\d+", "ok", expert="ann"),
        comparison("c", "score", ">=", 2.5, "offensive"),
    ],
    ids=lambda function: function.kind,
)
def test_rules_that_are_data_come_back_from_their_spec(function):
    again = from_spec(function.spec)
    assert again == function
    assert again.fingerprint == function.fingerprint


def test_code_is_never_loaded_from_a_spec():
    spec = when("shout", pl.col("text") == "A", "ok").spec
    with pytest.raises(ValueError, match="is code and never loaded from a database"):
        from_spec(spec)


def test_a_name_is_needed():
    with pytest.raises(ValueError, match="needs a name"):
        keyword(" ", ["a"], "ok")


def test_when_wants_an_expression():
    with pytest.raises(TypeError, match="needs a Polars expression"):
        when("w", "text == 3", "ok")


def test_a_missing_label_or_another_expert_is_no_change_of_votes_but_another_word_is():
    one, moved = keyword("k", ["a"], "ok"), keyword("k", ["a"], "ok", expert="ann")
    assert one.fingerprint == moved.fingerprint
    assert one.fingerprint != keyword("k", ["b"], "ok").fingerprint
    assert one.fingerprint != keyword("k", ["a"], "offensive").fingerprint


def test_an_expression_is_told_by_its_content_and_python_inside_it_by_its_version():
    def among(values):
        return when("w", pl.col("x").is_in(values), "ok")

    many = list(range(100))
    assert among(many).fingerprint == among(many).fingerprint
    assert among(many).fingerprint != among([*many[:-1], 101]).fingerprint
    python = pl.col("x").map_elements(lambda x: hash(x) > 3, return_dtype=pl.Boolean)
    assert when("w", python, "ok").fingerprint is None
    assert when("w", python, "ok", version=1).fingerprint != when("w", python, "ok", version=2).fingerprint


def count_longer_than(limit):
    @labeling_function(name="long")
    def function(row):
        return "ok" if len(row["text"]) > limit else ABSTAIN

    return function


def test_a_python_function_is_told_by_its_code_and_what_it_closes_over():
    assert count_longer_than(3).fingerprint == count_longer_than(3).fingerprint
    assert count_longer_than(3).fingerprint != count_longer_than(4).fingerprint


def test_comments_spacing_and_docstrings_are_no_change():
    def first(row):
        return "ok" if SPICY.search(row["text"]) else None

    def second(row):
        """Something hot."""
        # why not
        return "ok" if SPICY.search(row["text"]) else None

    def third(row):
        return "ok" if SPICY.match(row["text"]) else None

    prints = [labeling_function(name="f")(body).fingerprint for body in (first, second, third)]
    assert prints[0] == prints[1] != prints[2]
    assert prints[0] is not None


def test_a_global_constant_is_part_of_the_function(monkeypatch):
    @labeling_function()
    def spicy(row):
        return "ok" if SPICY.search(row["text"]) else ABSTAIN

    before = spicy.fingerprint
    monkeypatch.setitem(spicy.function.__globals__, "SPICY", re.compile("mild"))
    assert spicy.fingerprint not in (None, before)


def test_a_default_argument_is_part_of_the_function():
    def make(limit):
        @labeling_function(name="f")
        def function(row, limit=limit):
            return "ok" if len(row["text"]) > limit else ABSTAIN

        return function

    assert make(1).fingerprint not in (None, make(2).fingerprint)


def test_what_cannot_be_compared_has_no_fingerprint_unless_a_version_is_named():
    model = object()

    def predict(row):
        return "ok" if model else None

    assert labeling_function(name="m")(predict).fingerprint is None
    assert labeling_function(name="m", version="2024")(predict).fingerprint is not None


def test_the_decorator_works_without_parentheses_and_the_function_stays_callable():
    @labeling_function
    def polite(row):
        return "ok" if "please" in row["text"] else ABSTAIN

    assert polite.name == "polite"
    assert polite({"text": "please"}) == "ok"


def test_snorkel_functions_are_taken_as_they_are():
    from snorkel.labeling import labeling_function as snorkel_function
    from snorkel.preprocess import preprocessor

    @preprocessor()
    def lower(x):
        x.text = x.text.lower()
        return x

    @snorkel_function(resources={"words": ["idiot"]})
    def insult(x, words):
        return 1 if any(word in x.text for word in words) else -1

    @snorkel_function(pre=[lower])
    def shout(x):
        return 0 if "hello" in x.text else -1

    frame = pl.DataFrame({"text": ["you idiot", "HELLO", "fine"]})
    assert run_functions([insult, shout], frame, LABELS).values.tolist() == [[1, -1], [-1, 0], [-1, -1]]
    named = [as_function(insult, labels=["offensive", "ok"], expert="ann")]
    assert run_functions(named, frame, LABELS).values[:, 0].tolist() == [0, -1, -1]
    assert as_function(insult).fingerprint is not None
    assert as_function(shout).fingerprint is None


def test_what_is_no_labeling_function_is_refused_with_a_hint():
    with pytest.raises(TypeError, match="@labeling_function"):
        as_function(lambda row: "ok")
    with pytest.raises(TypeError, match=r"keyword\(\)"):
        as_function(3)


def test_votes_are_positions_of_the_classes_given():
    frame = pl.DataFrame({"text": ["a", "b", None]})
    votes = run_functions([keyword("k", ["a"], "offensive")], frame, LABELS).values
    assert votes.dtype == np.int8
    assert votes.tolist() == [[1], [-1], [-1]]
