import numpy as np
import polars as pl
import pytest

from labeling import Project
from labeling.store.label_set import LabelSet


@pytest.mark.parametrize(
    ("labels", "hint"),
    [
        ([], "at least two labels"),
        (["ok"], "at least two labels"),
        (["ok", "ok"], "'ok' is there twice"),
        (["ok", " ok "], "'ok' is there twice"),
        (["ok", ""], "needs a name"),
        (["ok", None], "needs a name"),
        (["ok", "a\nb"], "control characters"),
        (["ok", "x" * 101], "at most 100"),
        (["ok", {"name": "a", "colour": "red"}], "unknown setting 'colour'"),
        ([{"name": "a", "key": "1"}, {"name": "b", "key": "1"}], "taken by another label"),
        ([{"name": "a", "key": "12"}, "b"], "one letter"),
        ([{"name": "a", "key": "r"}, "b"], "not c or r"),
    ],
)
def test_labels_that_cannot_be_used_are_refused(labels, hint):
    with pytest.raises(ValueError, match=hint):
        LabelSet.of(labels)


def test_one_text_is_no_list_of_labels():
    with pytest.raises(TypeError, match="must be a list of names"):
        LabelSet.of("ok")


def test_accents_are_one_letter_however_they_were_typed():
    assert LabelSet.of(["café", "b"]).names == LabelSet.of(["cafe\u0301", "b"]).names


def test_ids_stay_when_names_change_and_classes_come():
    labels = LabelSet.of(["a", "b"]).rename("a", "c").add("d").rename("b", "a")
    assert list(zip(labels.ids, labels.names, strict=True)) == [(0, "c"), (1, "a"), (2, "d")]
    assert labels.version == 4
    assert labels.named("a").id == 1
    assert labels.named("b").id == 1
    assert LabelSet.load(labels.version, labels.dump()) == labels


def test_an_unknown_label_is_refused_with_the_closest():
    with pytest.raises(ValueError, match=r"'ofensive'.*'ok', 'offensive'.*mean 'offensive'"):
        LabelSet.of(["ok", "offensive"]).named("ofensive")


def test_changes_are_facts_that_stay(storage_url):
    project = Project.create("p", ["ok", "offensive"], storage=storage_url)
    project.add_label("spam", definition="Sells something.", key="s")
    project.rename_label("ok", "fine")
    project.describe_label("fine", "Nothing wrong.", key="f")
    sets = project.ledger.label_sets()
    assert [dict(record.change)["kind"] for record in sets] == ["create", "add", "rename", "describe"]
    assert [c["name"] for c in sets[0].classes] == ["ok", "offensive"]
    assert [(c.name, c.key, c.definition) for c in project.classes] == [
        ("fine", "f", "Nothing wrong."),
        ("offensive", None, ""),
        ("spam", "s", "Sells something."),
    ]
    with pytest.raises(ValueError, match="there twice"):
        project.add_label("spam")


@pytest.mark.parametrize("labels", [{"ok", "bad"}, frozenset({"ok", "bad"})])
def test_a_set_of_labels_has_no_order(labels):
    with pytest.raises(TypeError, match=r"got a set, which has no order. Use for example \['bad', 'ok'\]"):
        LabelSet.of(labels)


@pytest.mark.parametrize(("number", "text"), [(1, "1"), (np.int64(1), "1"), (0.5, "0.5"), (True, "true")])
def test_a_number_is_no_label_and_the_text_to_pass_is_named(number, text):
    with pytest.raises(TypeError, match=f"A label is named by a text, got .*Pass '{text}': known answers"):
        LabelSet.of(["a", number])
    with pytest.raises(TypeError, match="A label is named by a text"):
        Project.create("p", ["a", {"name": number}], storage="sqlite:////not-there/at-all.db")


def test_known_answers_that_are_numbers_match_the_texts_of_labels(sqlite_url):
    project = Project.create("p", ["0", "1"], storage=sqlite_url)
    report = project.add_items(pl.DataFrame({"text": ["a", "b"], "y": [0, 1]}), gold="y")
    assert report.gold == 2
