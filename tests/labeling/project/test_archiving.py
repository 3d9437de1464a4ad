import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, ProjectArchived, TextClassifier, keyword
from strategies import Random


@pytest.fixture
def project(storage_url):
    project = Project.create("p", ["ok", "offensive"], storage=storage_url)
    project.add_items(pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"], "label": ["ok", "offensive"]}), gold="label")
    project.add_functions([keyword("k", ["a"], label="ok")])
    project.weak_label(MajorityVote())
    return project


def names(storage_url, **options):
    return [info.name for info in Project.list(storage_url, **options)]


def test_an_archived_project_is_left_out_of_lists_and_keeps_its_name(project, storage_url):
    Project.create("q", ["ok", "offensive"], storage=storage_url)
    project.archive()
    assert names(storage_url) == ["q"]
    assert names(storage_url, archived=True) == ["p"]
    assert names(storage_url, archived=None) == ["p", "q"]
    with pytest.raises(ValueError, match="There is a project 'p'"):
        Project.create("p", ["ok", "offensive"], storage=storage_url)
    project.restore()
    assert names(storage_url) == ["p", "q"]
    assert not project.archived


def test_it_can_be_read_and_no_door_writes(project, storage_url, tmp_path):
    loop = project.pool_loop("a", strategy=Random(), classifier=TextClassifier(), seed=1, stop=[LabelBudget(2)])
    query = loop.ask("ann")[0]
    project.archive()
    assert project.ledger.leases.items() == set()
    opened = Project.open("p", storage=storage_url)
    version = opened.version()
    assert opened.archived
    assert opened.items().height == 2
    assert opened.labels("gold").height == 2
    assert opened.label_matrix().values.shape == (2, 1)
    assert opened.pool_loop("a").progress().answered == 0
    writes = [
        lambda: opened.add_items(pl.DataFrame({"text": ["c"]})),
        lambda: opened.set_gold(pl.DataFrame({"id": ["1"], "label": ["offensive"]}), gold="label"),
        lambda: opened.undo_import(1),
        lambda: opened.add_label("more"),
        lambda: opened.set_holdout(0.5),
        lambda: opened.add_functions([keyword("j", ["b"], label="ok")]),
        lambda: opened.weak_label(MajorityVote()),
        lambda: opened.erase([1]),
        lambda: opened.export(tmp_path / "labels.csv"),
        lambda: opened.pool_loop("a").tell(query, "ok"),
        lambda: opened.pool_loop("a").ask("ann"),
        lambda: opened.pool_loop("a").refit(),
        lambda: opened.pool_loop("b", strategy=Random(), classifier=TextClassifier()),
    ]
    for write in writes:
        with pytest.raises(ProjectArchived, match=r"'p' was archived on .* Bring it back first: project\.restore\(\)"):
            write()
    assert opened.version() == version
    assert list(tmp_path.glob("labels*")) == []
    opened.restore()
    opened.pool_loop("a").tell(query, "ok")
    assert opened.labels("human").height == 1


def test_archiving_twice_is_one_fact(project):
    project.archive()
    version = project.version()
    project.archive()
    assert project.version() == version
