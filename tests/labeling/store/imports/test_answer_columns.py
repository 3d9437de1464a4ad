import polars as pl
import pytest

from labeling import Project

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


def test_a_column_that_holds_labels_is_not_shown_to_annotators(project):
    frame = pl.DataFrame({"text": ["a", "b"], "verdict": ["ok", "offensive"], "likes": [1, 2]})
    report = project.add_items(frame)
    assert project.hidden_columns == ("verdict",)
    assert report.notes == ("Not shown to annotators, as it looks like the answer: 'verdict'.",)
    assert project.items().columns == ["item_id", "text", "verdict", "likes"]


def test_a_column_called_like_the_answer_is_not_shown(project):
    project.add_items(pl.DataFrame({"text": ["a", "b"], "Label": [0, 7], "y": [0.25, 0.5]}))
    assert project.hidden_columns == ("Label",)


def test_a_column_that_goes_with_the_known_answer_is_not_shown(project):
    n = 40
    frame = pl.DataFrame(
        {
            "text": [f"post {i}" for i in range(n)],
            "truth": [LABELS[i % 2] for i in range(n)],
            "code": [(i % 2) + 10 * (i % 4 > 1) for i in range(n)],
            "author": [i % 3 for i in range(n)],
            "number": list(range(n)),
        }
    )
    project.add_items(frame, gold="truth")
    assert project.hidden_columns == ("code",)


def test_what_is_hidden_can_be_chosen_when_importing_and_later(project):
    frame = pl.DataFrame({"text": ["a", "b"], "verdict": ["ok", "offensive"], "likes": [1, 2]})
    project.add_items(frame, hidden=[])
    assert project.hidden_columns == ()
    project.hide_columns(["likes"])
    assert project.hidden_columns == ("likes",)
    more = project.add_items(frame.with_columns(text=pl.lit("more ") + pl.col("text")))
    assert (project.hidden_columns, more.notes) == (("likes",), ())
    project.hide_columns([])
    assert project.hidden_columns == ()


def test_what_cannot_be_hidden_is_said(project):
    frame = pl.DataFrame({"text": ["a"], "likes": [1]})
    with pytest.raises(ValueError, match=r"There is no column 'vote' to hide\. The columns are: text, likes"):
        project.add_items(frame, hidden=["vote"])
    project.add_items(frame)
    with pytest.raises(ValueError, match="'text' is what annotators are asked about"):
        project.hide_columns(["text"])
    with pytest.raises(ValueError, match=r"There is no column 'vote'\. The columns are: text, likes"):
        project.hide_columns(["vote"])


def test_hiding_is_remembered_with_the_project(project, storage_url):
    project.add_items(pl.DataFrame({"text": ["a", "b"], "label": ["ok", "offensive"]}))
    assert Project.open("p", storage=storage_url).hidden_columns == ("label",)
