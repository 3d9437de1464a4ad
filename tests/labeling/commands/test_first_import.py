"""An import that makes its project leaves both, or neither."""

import pytest

from labeling import Project
from labeling.commands.first_import import import_into

POSTS = b"id,text,label\n1,a,ok\n2,b,bad\n"


@pytest.mark.parametrize(
    "options",
    [{"gold": "text"}, {"text": "txet"}, {"id": "text", "group": "text"}],
    ids=["gold", "column", "parts"],
)
def test_a_first_import_that_fails_leaves_no_project(storage_url, options):
    with pytest.raises(ValueError, match=r"label|column|part"):
        import_into("posts", storage_url, ["ok", "bad"], POSTS, progress=False, **options)
    assert Project.list(storage_url) == []
    project, report = import_into("posts", storage_url, ["ok", "bad"], POSTS, gold="label", progress=False)
    assert (report.added, project.label_names) == (2, ("ok", "bad"))


def test_a_later_import_that_fails_leaves_the_project(storage_url):
    import_into("posts", storage_url, ["ok", "bad"], POSTS, progress=False)
    with pytest.raises(ValueError, match="txet"):
        import_into("posts", storage_url, ["ok", "bad"], POSTS, text="txet", progress=False)
    assert Project.open("posts", storage=storage_url).items().height == 2


def test_a_project_made_before_stays_though_it_is_empty(storage_url):
    Project.create("posts", labels=["ok", "bad"], storage=storage_url)
    with pytest.raises(ValueError, match="txet"):
        import_into("posts", storage_url, ["ok", "bad"], POSTS, text="txet", progress=False)
    assert [info.name for info in Project.list(storage_url)] == ["posts"]


def test_a_project_that_holds_something_is_not_withdrawn(storage_url):
    project, _ = import_into("posts", storage_url, ["ok", "bad"], POSTS, progress=False)
    assert not project.ledger.withdraw()
    assert Project.open("posts", storage=storage_url).items().height == 2


def test_without_labels_the_project_has_to_be_there(storage_url):
    with pytest.raises(LookupError):
        import_into("gone", storage_url, None, POSTS)


def test_a_first_import_whose_holdout_cannot_be_drawn_leaves_no_project(storage_url):
    with pytest.raises(ValueError, match="There is no gold to hold out"):
        import_into("posts", storage_url, ["ok", "bad"], POSTS, holdout=0.5, progress=False)
    with pytest.raises(ValueError, match="between 0 and 1, got 30"):
        import_into("posts", storage_url, ["ok", "bad"], POSTS, gold="label", holdout=30, progress=False)
    assert Project.list(storage_url) == []
    project, _ = import_into("posts", storage_url, ["ok", "bad"], POSTS, gold="label", holdout=0.5, progress=False)
    assert project.status().holdout == 1


def test_more_items_may_come_without_gold_where_the_project_has_some(sqlite_url):
    import_into("posts", sqlite_url, ["ok", "bad"], POSTS, gold="label", progress=False)
    project, report = import_into("posts", sqlite_url, None, b"id,text\n3,c\n", holdout=0.5, progress=False)
    assert (report.added, project.status().holdout) == (1, 1)
