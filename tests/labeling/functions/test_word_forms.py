"""Words are found however their letters are composed."""

import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling import apply, keyword
from labeling.functions.word_forms import equivalents, fixed_part, word_pattern

WORDS = ["café", "größer", "việt", "스팸", "naïve", "Ñandú"]


def found(word, texts, **options):
    others = [keyword(f"other {n}", f"nothing{n}", label="no") for n in range(5)]
    rules = [keyword("k", word, label="yes", **options)]
    frame = pl.DataFrame({"text": texts})
    alone = apply(rules, frame, labels=["yes", "no"]).values[:, 0].tolist()
    assert apply([*rules, *others], frame, labels=["yes", "no"]).values[:, 0].tolist() == alone
    return [vote == 0 for vote in alone]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("case_sensitive", [True, False])
def test_a_keyword_finds_its_word_in_each_form(word, case_sensitive):
    forms = [unicodedata.normalize(form, word) for form in ("NFC", "NFD")]
    texts = [f"un {form} là" for form in forms]
    for form in forms:
        assert found(form, texts, case_sensitive=case_sensitive) == [True, True]


def test_half_composed_letters_are_found():
    assert found("việt", ["vie\u0302\u0323t", "viê\u0323t", "viẹ\u0302t", "viet"]) == [True, True, True, False]


def test_a_plain_letter_is_no_letter_with_a_mark():
    assert found("cafe", ["un cafe", "un café", "un cafe\u0301"]) == [True, False, False]
    assert found("café", ["un cafe", "cafés", "cafe\u0301s"]) == [False, False, False]


def test_phrases_are_found():
    assert found("crème brûlée", ["une cre\u0300me  bru\u0302le\u0301e"]) == [True]


@given(st.text(alphabet="aeoAE\u0301\u0308\u0323\u00e9\u1ec7\ud504\u1112\u1161\u11ab.+", min_size=1))
def test_a_pattern_finds_what_it_was_made_of(word):
    texts = pl.Series([unicodedata.normalize(form, word) for form in ("NFC", "NFD")])
    assert texts.str.contains(word_pattern(word)).all()
    assert texts.str.contains(fixed_part(word), literal=True).all()


@given(st.sampled_from("éệấ스ñ\u0958"))
def test_equivalents_are_one_text(cluster):
    assert {unicodedata.normalize("NFC", form) for form in equivalents(cluster)} == {
        unicodedata.normalize("NFC", cluster)
    }
