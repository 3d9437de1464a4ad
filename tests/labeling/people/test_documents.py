"""Description and guidelines are kept in versions, and an answer knows under which one it was given."""

import json

import polars as pl
import pytest
from sqlalchemy import event, text

from labeling import Project
from labeling.upkeep import verify
from storage import RefusedText, StorageError, list_projects
from storage.database import open_engine, writing
from storage.upkeep.copying import copy_projects
from strategies import FixedThreshold
from tests.labeling.pool_loops import loop_of, project_of
from tests.labeling.stream_loops import stream_of


@pytest.fixture
def project(storage_url):
    return project_of(storage_url, n=8)


def given(project):
    """Return kind and version of what people did, oldest first."""
    return project.annotations().select("kind", "guidelines").rows()


def test_versions_of_the_guidelines_are_kept_and_the_newest_counts(project):
    assert (project.guidelines, project.guideline_versions().height) == ("", 0)
    assert project.set_guidelines("") == 0
    assert project.set_guidelines("# Be kind\n", by="lead") == 1
    assert project.set_guidelines("# Be kind") == 1
    assert project.set_guidelines("", by="bo") == 2
    assert project.guidelines == ""
    assert project.guideline_versions().select("version", "text", "who").rows() == [
        (1, "# Be kind", "lead"),
        (2, "", "bo"),
    ]


def test_a_description_can_change(project, storage_url):
    project.set_description("Posts that insult people", by="lead")
    again = Project.open(project.name, storage_url)
    assert (again.description, again.info().description) == ("Posts that insult people",) * 2
    assert again.guidelines == ""


def test_an_answer_knows_the_version_it_was_given_under(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann", 3)
    told = loop.tell(first, "ok")
    project.set_guidelines("one", by="lead")
    assert told.guidelines is None
    assert loop.tell(second, "ok").guidelines == 1
    loop.skip(third)
    project.set_guidelines("two")
    loop.undo("ann")
    loop.discard(third, annotator="ann")
    assert given(project) == [("answer", None), ("answer", 1), ("skip", 1), ("undo", 2), ("discard", 2)]
    history = project.history(second.item_id)
    answer = history.filter(pl.col("event") == "answer")["details"][0]
    assert json.loads(answer)["guidelines"] == 1


def test_answers_to_a_stream_know_it_and_answers_given_elsewhere_do_not(project):
    project.set_guidelines("one")
    stream = stream_of(project, FixedThreshold(0.0))
    decision = stream.offer({"text": "good evening"})
    stream.tell(decision.query, "ok", annotator="ann")
    project.add_annotations(pl.DataFrame({"item_id": [1], "annotator": ["bo"], "label": ["ok"]}), item_id="item_id")
    assert given(project) == [("answer", 1), ("answer", None)]


def test_what_is_taken_back_by_a_split_is_under_the_version_of_then(project):
    loop = loop_of(project)
    project.set_guidelines("one")
    loop.tell(loop.ask("ann", 1)[0], "ok")
    project.set_guidelines("two")
    project.split_label("ok", ["fine", "good"])
    assert given(project) == [("answer", 1), ("undo", 2)]


def test_a_version_made_from_an_older_one_is_refused(project):
    project.set_guidelines("one", after=0)
    with pytest.raises(
        StorageError, match=r"wrote version 1 of the guidelines in between, and yours follows version 0"
    ):
        project.set_guidelines("another", after=0)
    assert project.set_guidelines("another", after=1) == 2


def test_what_cannot_be_kept_is_refused(project):
    with pytest.raises(RefusedText, match=r"A text about a project has at most 50000 characters, got 50,001"):
        project.set_guidelines("x" * 50_001)
    with pytest.raises(TypeError, match="guidelines of a project is a text, got 3"):
        project.set_guidelines(3)
    with pytest.raises(ValueError, match="An annotator needs a name"):
        project.set_guidelines("one", by=" ")
    assert project.guideline_versions().height == 0


def test_guidelines_cost_an_answer_no_statement(project):
    loop = loop_of(project)
    queries = loop.ask("ann", 4)
    counts = []
    event.listen(project.ledger.engine, "before_cursor_execute", lambda *given: counts.append(given[2]))
    for query in queries[:2]:
        loop.tell(query, "ok")
    counts.clear()
    loop.tell(queries[2], "ok")
    without = len(counts)
    project.set_guidelines("one")
    counts.clear()
    loop.tell(queries[3], "ok")
    assert len(counts) <= without


def test_a_copy_has_the_versions_and_verify_looks_at_them(project, storage_url, tmp_path):
    project.set_guidelines("one", by="lead")
    project.set_guidelines("two")
    loop = loop_of(project)
    loop.tell(loop.ask("ann", 1)[0], "ok")
    elsewhere = f"sqlite:///{tmp_path / 'copy.db'}"
    copy_projects(storage_url, elsewhere)
    assert [record.name for record in list_projects(elsewhere)] == [project.name]
    copied = Project.open(project.name, elsewhere)
    assert copied.guideline_versions().rows() == project.guideline_versions().rows()
    assert given(copied) == [("answer", 2)]
    assert list(verify(elsewhere).problems) == []
    with writing(open_engine(elsewhere)) as connection:
        connection.execute(text("DELETE FROM documents WHERE version = 2"))
    (found,) = verify(elsewhere).problems
    assert "given under version 2 of the guidelines, and there are 1" in str(found)


def test_a_project_that_has_guidelines_is_not_withdrawn_as_empty(storage_url):
    project = Project.create("p", ["ok", "bad"], storage=storage_url)
    project.set_guidelines("one")
    assert not project.ledger.withdraw()
    assert Project.open("p", storage_url).guidelines == "one"
