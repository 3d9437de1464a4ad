"""Many keyword rules in one pass answer as each of them does alone."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.functions.keyword_search import plan_keywords
from labeling.functions.makers import keyword
from labeling.votes.running import run_functions

LABELS = ("ok", "offensive")
WORD = st.text(alphabet="abAé+ ", min_size=3, max_size=7).filter(str.strip)
RULE = st.tuples(st.lists(WORD, min_size=1, max_size=3), st.booleans(), st.booleans())
TEXT = st.none() | st.text(alphabet="abABéÉ+ \n", max_size=30)


@settings(deadline=None)
@given(rules=st.lists(RULE, min_size=4, max_size=8), texts=st.lists(TEXT, min_size=1, max_size=5))
def test_rules_in_one_pass_vote_as_each_does_alone(rules, texts):
    functions = [
        keyword(f"rule {i}", words, LABELS[i % 2], whole_words=whole, case_sensitive=case)
        for i, (words, whole, case) in enumerate(rules)
    ]
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    together = run_functions(functions, frame, LABELS).values
    for j, function in enumerate(functions):
        assert together[:, j].tolist() == run_functions([function], frame, LABELS).values[:, 0].tolist()


def test_rules_about_different_columns_are_searched_apart():
    functions = [
        keyword(f"{c} {w}", [w], "ok", column=c) for c in ("title", "text") for w in ("one", "two", "six", "ten")
    ]
    searches = plan_keywords(functions, "text")
    assert [(search.column, sorted(search.rules)) for search in searches] == [
        ("title", [0, 1, 2, 3]),
        ("text", [4, 5, 6, 7]),
    ]
    frame = pl.DataFrame({"title": ["one two"], "text": ["ten"]})
    assert run_functions(functions, frame, LABELS).values.tolist() == [[0, 0, -1, -1, -1, -1, -1, 0]]


def test_few_rules_and_short_words_are_left_to_polars():
    assert plan_keywords([keyword(w, [w], "ok") for w in ("one", "two", "six")], "text") == []
    assert plan_keywords([keyword(w, [w, "a"], "ok") for w in ("one", "two", "six", "ten")], "text") == []
