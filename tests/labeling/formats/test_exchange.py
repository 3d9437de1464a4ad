import json
import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labeling.formats.columns.names import export_name
from labeling.formats.export_format import About
from labeling.formats.label_studio import labeling_config
from labeling.formats.reading.tables import read_source
from labeling.formats.task_readers import TOOLS
from labeling.formats.writing.export_formats import export_format

NAMES = [tool.name for tool in TOOLS]
LABELS = ("ok", 'b"ad,', "größer")

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
texts = st.one_of(st.none(), words)
labels = st.sampled_from([None, *LABELS])
sources = st.sampled_from(["human", "weak", "model"])
rows = st.lists(
    st.tuples(texts, texts, st.one_of(st.none(), st.integers(-5, 5)), labels, sources), min_size=1, max_size=6
)


def export_of(cells, text="text"):
    """Return an export of items with these texts, notes, numbers, labels and sources of labels."""
    own = ["Comments", export_name("label"), "tally"]
    frame = {
        "item_id": list(range(1, len(cells) + 1)),
        "id": [f"00{n}" for n in range(len(cells))],
        "label": [cell[3] for cell in cells],
        "source": [cell[4] if cell[3] is not None else None for cell in cells],
        "confidence": [0.75 if cell[3] is not None else None for cell in cells],
        "annotators": [["ann"] if cell[3] is not None and cell[4] == "human" else [] for cell in cells],
        text: [cell[0] for cell in cells],
        **{name: [cell[1] for cell in cells] for name in own},
        "n": [cell[2] for cell in cells],
    }
    strings = dict.fromkeys(["label", "source", text, *own], pl.String)
    types = {"confidence": pl.Float64, "n": pl.Int64, "annotators": pl.List(pl.String)}
    return pl.DataFrame(frame, schema_overrides=strings | types)


def there_and_back(frame, name, text="text"):
    kind = export_format("x", name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tasks{kind.suffix}"
        assert kind.write(path, iter([frame[:2], frame[2:]]), About(labels=LABELS, text=text)) == frame.height
        return read_source(path)


@pytest.mark.parametrize("name", NAMES)
@given(cells=rows, text=st.sampled_from(["text", "tweet", "data"]))
@settings(max_examples=80, deadline=None)
@example(cells=[(None, "", None, "ok", "human"), ("", "\u2028\r\n", 1, None, "weak")], text="tweet")
def test_what_goes_out_comes_in_again(name, cells, text):
    frame = export_of(cells, text)
    table = there_and_back(frame, name, text)
    assert (table.tool, table.is_export, table.rejected, table.renamed) == (name, True, [], {})
    assert table.frame["label"].to_list() == frame["label"].to_list()
    assert table.frame["id"].to_list() == frame["id"].to_list()
    for column in (text, "Comments", export_name("label"), "tally", "n"):
        assert table.frame[column].to_list() == frame[column].to_list()
    for column in ("item_id", "source", "confidence"):
        assert table.evidence[column].to_list() == frame[column].to_list()
    assert table.evidence["annotators"].to_list() == frame["annotators"].to_list()
    assert table.answers.is_empty()


def read(tasks, lines=True, **options):
    text = "\n".join(map(json.dumps, tasks)) if lines else json.dumps(tasks)
    return read_source(text.encode(), name="tasks.jsonl" if lines else "tasks.json", **options)


def chosen(label, **more):
    result = {"from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return {"result": [result], **more}


def test_label_studio_annotations_become_a_label_where_people_agree_and_answers_in_any_case():
    first = {
        "id": 11,
        "data": {"text": "hello", "lang": "en"},
        "annotations": [
            chosen("ok", completed_by=3, lead_time=4.5, created_at="2024-05-06T07:08:09Z"),
            chosen("ok", completed_by={"id": 4, "email": "ann@example.org"}),
            chosen("bad", completed_by=5, was_cancelled=True),
        ],
    }
    torn = {"id": 12, "data": {"text": "bye", "lang": "en"}, "annotations": [chosen("ok"), chosen("bad")]}
    table = read([first, torn], lines=False)
    assert table.frame.rows(named=True) == [
        {"text": "hello", "lang": "en", "id": 11, "label": "ok"},
        {"text": "bye", "lang": "en", "id": 12, "label": None},
    ]
    assert table.answers.select("row", "annotator", "label", "seconds").rows() == [
        (0, "3", "ok", 4.5),
        (0, "ann@example.org", "ok", None),
        (1, None, "ok", None),
        (1, None, "bad", None),
    ]
    assert str(table.answers["at"][0]) == "2024-05-06 07:08:09+00:00"


def test_label_studio_ground_truth_outranks_annotations():
    task = {"data": {"text": "a"}, "annotations": [chosen("ok"), chosen("bad", ground_truth=True)]}
    assert read([task]).frame["label"].to_list() == ["bad"]


def test_label_studio_predictions_become_columns_of_shares_by_model():
    predictions = [chosen("ok", score=0.8, model_version="one"), chosen("bad", model_version="two")]
    frame = read([{"data": {"text": "a"}, "annotations": [], "predictions": predictions}]).frame
    assert frame["prediction (one)"].to_list() == ['{"ok": 0.8}']
    assert frame["prediction (two)"].to_list() == ['{"bad": 1.0}']


@pytest.mark.parametrize(
    ("results", "kind"),
    [
        ([{"type": "rectanglelabels", "value": {"rectanglelabels": ["car"]}}], "RectangleLabels"),
        ([{"type": "labels", "value": {"start": 0, "end": 3, "labels": ["PER"]}}], "Labels"),
        ([{"type": "choices", "value": {"choices": ["a", "b"]}}], "Choices with several labels ('a', 'b')"),
        (
            [{"type": "choices", "from_name": n, "value": {"choices": ["a"]}} for n in ("mood", "topic")],
            "Choices with several questions (mood, topic)",
        ),
    ],
)
def test_label_studio_tasks_of_another_kind_are_refused_by_its_name(results, kind):
    task = {"id": 1, "data": {"text": "a"}, "annotations": [{"result": results}]}
    with pytest.raises(ValueError, match="task 1 is a Label Studio task of kind") as caught:
        read([task], lines=False)
    assert kind in str(caught.value)
    assert read([task], lines=False, format="plain").tool is None


def test_prodigy_choices_and_binary_answers():
    options = [{"id": "POS", "text": "good"}, {"id": "NEG", "text": "bad"}]
    tasks = [
        {"text": "a", "options": options, "accept": ["POS"], "answer": "accept", "_annotator_id": "set-ann"},
        {"text": "b", "label": "NEG", "answer": "accept", "meta": {"source": "web"}, "_timestamp": 1714979289},
        {"text": "c", "label": "NEG", "answer": "reject"},
        {"text": "d", "options": options, "accept": ["POS"], "answer": "ignore"},
        {"text": "e", "options": [{"id": 1, "text": "POS"}], "accept": [1], "answer": "accept"},
    ]
    table = read(tasks)
    assert table.tool == "prodigy"
    assert table.frame.select("text", "label").rows() == [
        ("a", "POS"),
        ("b", "NEG"),
        ("c", None),
        ("d", None),
        ("e", "POS"),
    ]
    assert table.frame["source"].to_list() == [None, "web", None, None, None]
    assert table.answers.select("row", "annotator", "label").rows() == [
        (0, "set-ann", "POS"),
        (1, None, "NEG"),
        (4, None, "POS"),
    ]
    assert "1 tasks reject a label" in " ".join(table.notes)


def test_times_of_tasks_that_cannot_be_read_are_told():
    answered = {"text": "a", "label": "ok", "answer": "accept"}
    studio = [{"data": {"text": "a"}, "annotations": [chosen("ok", created_at=at)]} for at in ("06.05.2024", None)]
    for tasks, told in (
        ([answered | {"_timestamp": "at noon"}, answered | {"_timestamp": 1714979289}, answered], "'_timestamp'"),
        (studio, "'created_at'"),
    ):
        table = read(tasks)
        assert f"1 values of {told} cannot be read as times" in " ".join(table.notes)
        assert table.answers["at"][0] is None


def test_prodigy_suggestions_without_an_answer_are_predictions():
    tasks = [{"text": "a", "label": "POS", "score": 0.7, "_task_hash": 1, "_input_hash": 2}]
    assert read(tasks).frame.select("label", "prediction").rows() == [(None, '{"POS": 0.7}')]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"spans": [{"start": 0, "end": 1, "label": "PER"}]}, "spans (named entities)"),
        ({"relations": [{"head": 0, "child": 1}]}, "relations"),
        ({"options": [{"id": "a"}, {"id": "b"}], "accept": ["a", "b"]}, "choice with several labels ('a', 'b')"),
        ({"image": "data:image/png;base64,AA"}, "image"),
    ],
)
def test_prodigy_tasks_of_another_kind_are_refused_by_its_name(fields, kind):
    with pytest.raises(ValueError, match="a Prodigy task of kind") as caught:
        read([{"text": "a", "_task_hash": 1, "answer": "accept", **fields}])
    assert kind in str(caught.value)


def test_doccano_texts_with_a_label_or_none():
    tasks = [
        {"id": 1, "text": "a", "label": ["ok"], "Comments": [], "lang": "en"},
        {"id": 2, "text": "b", "label": [], "Comments": ["hm"], "lang": "de"},
    ]
    table = read(tasks)
    assert table.tool == "doccano"
    assert table.frame.rows(named=True) == [
        {"id": 1, "text": "a", "lang": "en", "label": "ok"},
        {"id": 2, "text": "b", "lang": "de", "label": None},
    ]


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ({"text": "Ann", "label": [[0, 3, "PER"]], "Comments": []}, "sequence labeling (spans)"),
        ({"text": "Ann", "entities": [], "relations": []}, "sequence labeling (spans)"),
        ({"text": "a", "label": ["x", "y"], "Comments": []}, "text classification with several labels ('x', 'y')"),
    ],
)
def test_doccano_tasks_of_another_kind_are_refused_by_its_name(task, kind):
    with pytest.raises(ValueError, match="a doccano task of kind") as caught:
        read([task])
    assert kind in str(caught.value)


@pytest.mark.parametrize(
    "rows",
    [
        [{"text": "a", "label": "ok"}, {"text": "b", "label": "bad"}],
        [{"text": "a", "label": ["x", "y"]}],
        [{"text": "a", "data": {"n": 1}, "label": "x"}],
        [{"data": "2024-05-06", "text": "a"}],
        [{"answer": "yes", "text": "a"}],
    ],
)
def test_rows_that_only_look_alike_are_read_as_they_are(rows):
    assert read(rows).tool is None


def test_a_tool_can_be_named_and_only_for_json():
    assert read([{"text": "a", "label": ["ok"], "n": 1}], format="doccano").frame["label"].to_list() == ["ok"]
    with pytest.raises(ValueError, match=r"There is no format 'brat' to read.*label_studio, prodigy, doccano"):
        read([{"text": "a"}], format="brat")
    with pytest.raises(ValueError, match="is no JSON"):
        read_source(b"text\na\n", name="a.csv", format="prodigy")


def answered_elsewhere(frame, name, labels):
    """Return what comes back of an export in which a person then gave the first rows these labels."""
    kind = export_format("x", name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"tasks{kind.suffix}"
        kind.write(path, iter([frame]), About(labels=LABELS, text="text"))
        text = path.read_text(encoding="utf-8")
    tasks = json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]
    for task, label in zip(tasks, labels, strict=False):
        if name == "label_studio":
            task["annotations"] = [chosen(label, completed_by=7)]
        elif name == "prodigy":
            task |= {"accept": [label], "answer": "accept", "_annotator_id": "7"}
        else:
            task["label"] = [label]
    return read(tasks)


@pytest.mark.parametrize("name", NAMES)
def test_answers_given_in_the_other_tool_come_back_as_theirs(name):
    frame = export_of([("a", None, 1, None, "human"), ("b", None, 2, "ok", "human")])
    table = answered_elsewhere(frame, name, ["ok"])
    assert table.frame["label"].to_list() == ["ok", "ok"]
    assert table.evidence["source"].to_list() == ["human", "human"]
    assert table.answers.select("row", "label").rows() == [(0, "ok")]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "doccano"])
@pytest.mark.parametrize("source", ["weak", "model"])
def test_who_confirms_the_label_of_functions_or_a_model_has_answered(name, source):
    cells = [("a", None, 1, "ok", source), ("b", None, 2, "ok", source), ("c", None, 3, "ok", source)]
    table = answered_elsewhere(export_of(cells), name, ["ok", LABELS[1]])
    assert table.frame["label"].to_list() == ["ok", LABELS[1], "ok"]
    assert table.evidence["source"].to_list() == ["human", "human", source]
    assert table.evidence["confidence"].to_list() == [None, None, 0.75]
    assert table.answers.select("row", "annotator", "label").rows() == [(0, "7", "ok"), (1, "7", LABELS[1])]


def test_doccano_does_not_tell_a_confirmed_label_from_one_that_nobody_looked_at():
    table = answered_elsewhere(export_of([("a", None, 1, "ok", "weak")]), "doccano", ["ok"])
    assert table.evidence["source"].to_list() == ["weak"]
    assert table.answers.is_empty()


def test_formats_for_texts_refuse_a_project_without_one(tmp_path):
    for name in ("prodigy", "doccano"):
        with pytest.raises(ValueError, match="no column of this project is the text"):
            export_format("x", name).write(tmp_path / name, iter([export_of([])]), About(labels=LABELS))


def test_the_labeling_interface_quotes_labels():
    assert "<Choice value='b\"ad,'/>" in labeling_config(LABELS)
