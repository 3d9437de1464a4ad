"""What one database refuses, both refuse, with the same message and nothing half-written."""

import polars as pl
import pytest

from labeling import LabelBudget, Project, TextClassifier, keyword
from storage.texts import RefusedText, to_json
from strategies import LeastConfidence, Random, VariableUncertainty
from tests.conftest import QUICK
from tests.databases import postgres_database

REFUSED = {
    "NUL": ("a\0b", r"cannot hold a NUL character|holds control characters"),
    "half a character": ("a\ud83d", "half of a character"),
}


def loop_of(project, name="loop"):
    return project.pool_loop(name, strategy=Random(), classifier=TextClassifier(), batch_size=1, seed=1)


def told(project, **how):
    loop = loop_of(project)
    return loop.tell(loop.ask("ann")[0], "no", **how)


def streamed(project, key):
    return project.stream_loop("s", strategy=LeastConfidence(), budget=VariableUncertainty(0.5)).offer(
        {"text": "c"}, key=key
    )


VERBS = {
    "project": lambda project, text: Project.create(text, labels=["a", "b"], storage=project.ledger.full_url),
    "description": lambda project, text: Project.create(
        "q", labels=["a", "b"], storage=project.ledger.full_url, description=text
    ),
    "label": lambda project, text: Project.create("q", labels=["a", text], storage=project.ledger.full_url),
    "opened": lambda project, text: Project.open(text, storage=project.ledger.full_url),
    "loop": loop_of,
    "annotator asked": lambda project, text: loop_of(project).ask(text),
    "annotator told": lambda project, text: told(project, annotator=text),
    "uuid": lambda project, text: told(project, uuid=text),
    "function": lambda project, text: project.add_functions([keyword(text, ["a"], label="no")]),
    "expert": lambda project, text: project.add_functions([keyword("k", ["a"], label="no", expert=text)]),
    "word": lambda project, text: project.add_functions([keyword("k", [text], label="no")]),
    "filter": lambda project, text: project.save_filter(text, keyword("k", ["a"], label="no")),
    "reason": lambda project, text: project.erase([1], text),
    "who goes on": lambda project, text: loop_of(project).go_on(stop=[LabelBudget(3)], annotator=text),
}


def made(url):
    project = Project.create("p", labels=["no", "yes"], storage=url)
    project.add_items(pl.DataFrame({"text": ["a", "b"]}))
    loop_of(project)
    return project


@pytest.fixture
def project(storage_url):
    return made(storage_url)


@pytest.fixture(scope="module")
def sqlite_project(tmp_path_factory):
    return made(f"sqlite:///{tmp_path_factory.mktemp('texts') / 'work.db'}")


@pytest.fixture(scope="module")
def postgres_project(postgres_server):
    with postgres_database(postgres_server, "template0") as url:
        yield made(url)


@pytest.fixture(params=["sqlite"] if QUICK else ["sqlite", "postgres"])
def refusing(request):
    """A project that tests share which leave nothing in it."""
    return request.getfixturevalue(f"{request.param}_project")


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("verb", VERBS)
def test_text_that_no_database_keeps_is_refused_by_every_verb(refusing, verb, kind):
    text, hint = REFUSED[kind]
    with pytest.raises(ValueError, match=hint):
        VERBS[verb](refusing, text)
    with pytest.raises(ValueError, match=hint):
        VERBS[verb](refusing, text)
    assert refusing.ledger.annotations.everything() == []
    assert refusing.ledger.functions.current() == refusing.ledger.functions.filters() == []
    assert [info.name for info in refusing.loops()] == ["loop"]
    assert [info.name for info in Project.list(refusing.ledger.full_url)] == ["p"]


@pytest.mark.parametrize(
    "verb", ["project", "loop", "annotator asked", "annotator told", "function", "expert", "filter", "uuid"]
)
def test_a_name_that_is_too_long_is_refused_by_every_verb(refusing, verb):
    with pytest.raises(ValueError, match=r"at most|1 to 200 characters"):
        VERBS[verb](refusing, "ab" * 2_000)


def test_a_key_that_is_too_long_is_refused_and_the_record_not_kept(project):
    with pytest.raises(ValueError, match="A key has at most 500 characters, got 4,000"):
        streamed(project, "ab" * 2_000)
    assert project.items().height == 2


def test_content_that_no_text_holds_is_imported_the_same_by_both(project):
    report = project.add_items(pl.DataFrame({"text": ["x\0y"], "id": ["i\0"]}))
    assert (report.added, project.items()["text"].to_list()[-1]) == (1, "x\0y")


def test_no_column_of_json_holds_a_number_that_json_has_not():
    with pytest.raises(RefusedText, match="NaN and infinity are no numbers of JSON"):
        to_json({"score": float("nan")})
    assert to_json({"text": "\\u0000 😀"}) == '{"text": "\\\\u0000 \\ud83d\\ude00"}'
