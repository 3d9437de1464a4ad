import polars as pl
import pytest

from labeling import UNSURE, MajorityVote, Project, StorageError, default_storage, keyword
from strategies import Entropy

LABELS = ["ok", "offensive"]


def test_a_project_opens_as_it_was_made(storage_url):
    labels = [{"name": "ok", "key": "o"}, {"name": "offensive", "definition": "Hurts somebody."}]
    Project.create("posts", labels, storage=storage_url, description="What we moderate")
    project = Project.open("posts", storage=storage_url)
    assert (project.name, project.description) == ("posts", "What we moderate")
    assert [(c.id, c.name, c.key, c.definition) for c in project.classes] == [
        (0, "ok", "o", ""),
        (1, "offensive", None, "Hurts somebody."),
    ]


def test_a_name_that_is_taken_is_refused_with_what_would_work(storage_url):
    Project.create("posts", LABELS, storage=storage_url)
    with pytest.raises(ValueError, match=r"'posts'.*already.*Project\.open\('posts'\).*exist_ok=True"):
        Project.create("posts", LABELS, storage=storage_url)


def test_a_script_may_run_again_with_exist_ok(storage_url):
    made = Project.create("posts", LABELS, storage=storage_url)
    made.add_label("spam")
    opened = Project.create("posts", LABELS, storage=storage_url, exist_ok=True)
    assert opened.label_names == ("ok", "offensive", "spam")
    with pytest.raises(ValueError, match=r"exists with the labels 'ok', 'offensive', 'spam', without 'ham'"):
        Project.create("posts", ["ok", "ham"], storage=storage_url, exist_ok=True)


def test_an_unknown_project_is_refused_with_those_there_are(storage_url):
    Project.create("posts", LABELS, storage=storage_url)
    with pytest.raises(LookupError, match=r"no project 'post' .*It has 'posts'"):
        Project.open("post", storage=storage_url)


@pytest.mark.parametrize("name", ["", "  ", None, 5, "x" * 201])
def test_a_name_that_cannot_be_used_is_refused(sqlite_url, name):
    with pytest.raises(ValueError, match="name of 1 to 200 characters"):
        Project.create(name, LABELS, storage=sqlite_url)


def test_the_storage_is_taken_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("LABELING_STORAGE", raising=False)
    assert default_storage() == "sqlite:///labeling.db"
    monkeypatch.setenv("LABELING_STORAGE", f"sqlite:///{tmp_path / 'named.db'}")
    Project.create("posts", LABELS)
    assert (tmp_path / "named.db").exists()
    assert Project.open("posts").label_names == ("ok", "offensive")


def test_a_wrong_storage_is_a_clear_error():
    with pytest.raises(StorageError, match="not a database URL"):
        Project.create("posts", LABELS, storage="work.db")


def test_projects_are_listed_with_their_counts(storage_url):
    assert Project.list(storage_url) == []
    first = Project.create("b", LABELS, storage=storage_url)
    Project.create("a", LABELS, storage=storage_url)
    first.add_items(pl.DataFrame({"text": ["x", "y"]}))
    loop = first.pool_loop("l", strategy=Entropy(), batch_size=2)
    labeled, undecided = loop.ask("ann")
    loop.tell(labeled, "ok")
    loop.tell(undecided, UNSURE)
    assert [(info.name, info.items, info.labeled) for info in Project.list(storage_url)] == [("b", 2, 1), ("a", 0, 0)]
    loop.undo("ann")
    loop.undo("ann")
    assert first.info().labeled == 0


def test_a_status_counts_everything(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": list("abcd"), "label": ["ok", "ok", "offensive", None]}), gold="label")
    project.set_holdout(0.34, seed=0)
    status = project.status()
    assert (status.items, status.gold, status.holdout, status.human, status.weak, status.model) == (4, 3, 1, 0, 0, 0)
    assert status.version == project.version()


def test_a_status_is_counted_once_a_version(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["x", "y"]}))
    before = project.status()
    assert Project.open("p", sqlite_url).status() is before
    project.add_items(pl.DataFrame({"text": ["z"]}))
    assert (before.items, project.status().items) == (2, 3)


def test_the_status_counts_the_labels_there_are(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": [f"good {n}" if n % 2 else f"bad {n}" for n in range(12)]}))
    project.add_functions([keyword("bad", ["bad"], label="offensive")])
    project.weak_label(MajorityVote())
    loop = project.pool_loop("l", strategy=Entropy(), batch_size=4)
    for query in loop.ask("ann", refit=False):
        loop.tell(query, "offensive" if "bad" in query.item["text"] else "ok")
    loop.refit()
    status = project.status()
    heights = [project.labels(source=source).height for source in ("human", "weak", "model")]
    assert [status.human, status.weak, status.model] == heights == [4, 6, 12]


def test_the_names_of_projects_are_those_in_use(storage_url):
    assert Project.names(storage_url) == []
    for name in ("b", "a", "c"):
        Project.create(name, LABELS, storage=storage_url)
    Project.open("a", storage_url).archive()
    assert Project.names(storage_url) == ["b", "c"]


def test_the_version_grows_with_what_is_written_and_not_with_what_is_read(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    before = project.version()
    project.add_items(pl.DataFrame({"text": ["a"]}))
    after = project.version()
    assert after > before
    project.items()
    project.labels()
    project.status()
    assert project.version() == after


def test_items_are_found_by_any_of_their_texts(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": ["Good [morning", "night"], "lang": ["en", "de"]}))
    assert project.search_items("[MORNING")[0]["item_id"].to_list() == [1]
    assert project.search_items("de")[0]["item_id"].to_list() == [2]
    assert project.search_items("2")[1] == 1
    assert project.search_items("", offset=1, limit=1)[0]["item_id"].to_list() == [2]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5])
def test_a_holdout_is_a_share_between_0_and_1(sqlite_url, fraction):
    project = Project.create("p", LABELS, storage=sqlite_url)
    with pytest.raises(ValueError, match="between 0 and 1"):
        project.set_holdout(fraction)


def test_a_holdout_needs_gold_is_seeded_and_can_be_set_again(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    with pytest.raises(ValueError, match="no gold to hold out"):
        project.set_holdout()

    def held():
        return project.labels("gold").filter(pl.col("role") == "holdout")["item_id"].to_list()

    project.add_items(pl.DataFrame({"text": [f"p{n}" for n in range(20)], "label": ["ok"] * 20}), gold="label")
    assert project.set_holdout(0.3, seed=1) == 6
    first = held()
    project.set_holdout(0.3, seed=2)
    assert held() != first
    project.set_holdout(0.3, seed=1)
    assert held() == first


def test_names_that_are_markup_are_shown_as_text(sqlite_url):
    project = Project.create("<b>p", LABELS, storage=sqlite_url)
    assert "<b>p" not in project._repr_html_().replace("<b>&lt;b&gt;p</b>", "")
    assert "&lt;b&gt;p" in project._repr_html_()
