"""One form of a name for every door: what is kept is found again, however it was typed."""

import unicodedata

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling import (
    LabelBudget,
    LabelMatrix,
    MajorityVote,
    Project,
    apply,
    comparison,
    keyword,
    labeling_function,
    lookup,
    regex,
    simulate,
    votes_column,
    weak_label_file,
    when,
)
from labeling.formats.mapping import Mapping, prepare_items
from labeling.formats.reading.tables import read_source
from labeling.label_names import find_label, label_name, label_names, spellings
from strategies import LeastConfidence, Random, VariableUncertainty

SPELLINGS = {
    "composed": "größer",
    "decomposed": unicodedata.normalize("NFD", "größer"),
    "blanks around": " größer\t",
    "no-break spaces around": "\u00a0größer\u202f",
}


@pytest.fixture(params=SPELLINGS.values(), ids=SPELLINGS)
def written(request):
    return request.param


@pytest.fixture
def project(sqlite_url):
    project = Project.create("names", labels=["größer", "no"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": [f"a {number}" for number in range(8)]}))
    return project


@given(st.text())
def test_a_name_that_is_kept_is_kept_as_it_is(text):
    assert label_name(label_name(text)) == label_name(text)


@given(st.text(alphabet="ae\u0301\u0308\u0323\u1112\u1161\u11ab \u00a0"))
def test_every_form_of_a_name_finds_it(text):
    for form in ("NFC", "NFD"):
        assert find_label(unicodedata.normalize(form, f"x{text}"), [f"x{text}", "other"]) == 0


def test_a_project_keeps_one_form(sqlite_url, written):
    assert Project.create("kept", labels=[written, "no"], storage=sqlite_url).label_names == ("größer", "no")


def test_two_spellings_are_one_name(written):
    if written != "größer":
        with pytest.raises(ValueError, match="is there twice, as 'größer' and as"):
            label_names(["größer", written])
        with pytest.raises(ValueError, match="is there twice"):
            apply([keyword("k", "a", label="größer")], pl.DataFrame({"text": ["a"]}), labels=["größer", written])
        with pytest.raises(ValueError, match="is there twice"):
            LabelMatrix.from_votes([[0]], labels=["größer", written])


def test_gold_of_a_frame_and_of_a_file_is_found(project, written):
    assert project.add_items(pl.DataFrame({"text": ["x", "y"], "gold": [written, "no"]}), gold="gold").gold == 2
    assert project.add_items(f'text,gold\nz,"{written}"\n'.encode(), gold="gold").gold == 1
    assert set(project.labels(source="gold")["label"]) == {"größer", "no"}


def test_gold_of_a_prepared_table_takes_the_name_that_is_kept(written):
    table = read_source(pl.DataFrame({"text": ["a", "b"], "gold": [written, "?"]}))
    rows = prepare_items(table, Mapping(text="text", gold="gold"), ["größer", "no"])
    assert rows.gold.to_list() == ["größer", None]
    assert rows.unknown_gold == {"?": 1}


@pytest.mark.parametrize(
    "make",
    [
        lambda label: keyword("k", "a", label=label),
        lambda label: regex("k", "a", label=label),
        lambda label: comparison("k", "text", "contains", "a", label=label),
        lambda label: when("k", pl.col("text").str.contains("a"), label=label),
        lambda label: lookup("k", [f"a {number}" for number in range(8)], label),
        lambda label: labeling_function(name="k", version=1)(lambda row: label),
        lambda label: labeling_function(name="k", version=1, labels=[label])(lambda row: label),
    ],
    ids=["keyword", "regex", "comparison", "when", "lookup", "function", "declared"],
)
def test_rules_vote_for_the_name_that_is_kept(project, written, make):
    project.add_functions([make(written)])
    matrix = project.label_matrix()
    assert matrix.values.ravel().tolist() == [0] * 8
    assert matrix.summary()["faults"].to_list() == [0]


def test_a_rule_written_in_another_form_is_no_change(project, written):
    project.add_functions([keyword("k", "a", label="größer")])
    assert project.add_functions([keyword("k", "a", label=written)]).unchanged == ("k",)


def test_a_column_of_votes_is_read_in_any_form(written):
    frame = pl.DataFrame({"text": ["a", "b", "c"], "theirs": [written, "no", "?"]})
    matrix = apply([votes_column("theirs", "theirs")], frame, labels=["größer", "no"])
    assert matrix.values.ravel().tolist() == [0, 1, -1]


def test_what_fills_silence_is_found(project, written):
    project.add_functions([keyword("k", "nowhere", label="no")])
    assert set(project.weak_label(MajorityVote(otherwise=written)).frame()["label"]) == {"größer"}


def test_answers_are_found(project, written):
    loop = project.pool_loop("pool", strategy=Random(), batch_size=1, seed=1, stop=[LabelBudget(2)])
    assert loop.tell(loop.ask("ann")[0], written).label == "größer"
    stream = project.stream_loop("stream", strategy=LeastConfidence(), budget=VariableUncertainty(1.0), seed=1)
    query = stream.offer({"text": "new"}).query
    assert stream.tell(query, written, annotator="ann").label == "größer"
    assert LabelMatrix.from_answers([1, 1], ["ann", "bob"], [written, "größer"], ["größer", "no"]).values.tolist() == [
        [0, 0]
    ]


def test_files_and_simulations_take_any_form(tmp_path, written):
    frame = pl.DataFrame({"text": [f"a {n}" for n in range(20)], "gold": [written, "no"] * 10})
    frame.write_parquet(tmp_path / "posts.parquet")
    report = weak_label_file(
        tmp_path / "posts.parquet",
        [keyword("k", "a", label=written)],
        MajorityVote(otherwise=written),
        tmp_path / "weak.parquet",
        labels=[written, "no"],
        progress=False,
    )
    assert report.counts == {"größer": 20, "no": 0}
    for labels in (None, ["größer", "no"]):
        curves = simulate(
            frame, gold="gold", labels=labels, strategies={"r": Random()}, start=4, batch_size=2, rounds=1, seeds=[0]
        )
        assert curves.frame().height == 2


def test_a_changed_name_is_found_by_its_former_one(project, written):
    project.rename_label("größer", "large")
    assert project.label_set.named(written).name == "large"


@pytest.mark.parametrize("labels", [["true", "false"], ["True", "False"], ["FALSE", "TRUE"]])
@pytest.mark.parametrize("frame", ["polars", "pandas"])
def test_truth_values_match_the_labels_that_the_same_csv_matches(sqlite_url, tmp_path, labels, frame):
    rows = {"text": ["a", "b", "c"], "gold": [True, False, True]}
    source = pl.DataFrame(rows) if frame == "polars" else pd.DataFrame(rows)
    path = tmp_path / "rows.csv"
    source.write_csv(path) if frame == "polars" else source.to_csv(path, index=False)
    found = []
    for number, given_source in enumerate(
        [source, path, [{"text": t, "gold": g} for t, g in zip(*rows.values(), strict=True)]]
    ):
        project = Project.create(f"p{number}", labels=labels, storage=sqlite_url)
        project.add_items(given_source, gold="gold")
        found.append(project.labels(source="gold")["label"].to_list())
    truth = next(label for label in labels if label.casefold() == "true")
    other = next(label for label in labels if label.casefold() == "false")
    assert found == [[truth, other, truth]] * 3


def test_truth_values_find_no_label_where_two_are_called_so():
    assert find_label("TRUE", ["true", "True"]) is None
    assert find_label(True, ["true", "True"]) == 0
    assert find_label(np.bool_(False), ["False", "no"]) == 0
    assert find_label("yes", ["Yes", "no"]) is None


def test_functions_may_return_truth_values():
    matrix = apply([labeling_function(name="f")(lambda row: len(row["text"]) > 1)],
                   pl.DataFrame({"text": ["a", "ab"]}), labels=["true", "false"])  # fmt: skip
    assert matrix.values.ravel().tolist() == [1, 0]


def test_spellings_lead_to_one_position_each():
    assert spellings(["é", "true"]) == {"é": 0, "e\u0301": 0, "true": 1, "True": 1, "TRUE": 1}


def test_a_name_that_stands_there_twice_is_named_once():
    with pytest.raises(ValueError, match=r"^The label 'a' is there twice\. Each label"):
        label_names(["a", "b", "a"])
