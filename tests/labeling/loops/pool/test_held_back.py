import numpy as np
import polars as pl
import pytest

from labeling import LabelBudget, Project
from labeling.loops.pool.held_back import guards
from strategies import Entropy, OutlierGuard, Random

LABELS = ["ok", "offensive"]
ENGLISH = "the a morning coffee train late again weather rain office news game great today friend"
SPANISH = "el perro gato casa manana noche calle playa verano comida amigo siempre nunca dinero trabajo"


def texts(n=300, spanish=24, empty=6):
    rng = np.random.default_rng(0)
    english = [" ".join(rng.choice(ENGLISH.split(), 9)) for _ in range(n - spanish - empty)]
    other = [" ".join(rng.choice(SPANISH.split(), 9)) for _ in range(spanish)]
    return english + other + ["?!" * (i + 1) for i in range(empty)]


def project_of(url):
    project = Project.create("p", LABELS, storage=url)
    project.add_items(pl.DataFrame({"text": texts()}), progress=False)
    return project


@pytest.fixture
def project(storage_url):
    return project_of(storage_url)


@pytest.fixture
def local(sqlite_url):
    return project_of(sqlite_url)


def loop_of(project, strategy=None, **settings):
    return project.pool_loop("l", strategy=strategy or OutlierGuard(Random(), share=0.0), batch_size=5, **settings)


EMPTY, SPANISH_ITEMS = set(range(295, 301)), set(range(271, 295))


def by_kind(loop):
    return {group.kind: group for group in loop.groups()}


def test_groups_are_what_the_newest_refit_held_back(project):
    loop = loop_of(project)
    assert loop.groups() == []
    loop.refit()
    found = by_kind(loop)
    assert set(found) == {"empty", "cluster apart"}
    assert (found["empty"].size, found["cluster apart"].size) == (6, 24)
    assert {item["item_id"] for item in found["empty"].items} == EMPTY
    assert len(found["cluster apart"].items) == 12
    assert {item["item_id"] for item in found["cluster apart"].items} <= SPANISH_ITEMS
    assert len(loop.groups(shown=3)[0].items) == 3
    assert not {query.item_id for query in loop.ask("ann", 50)} & (EMPTY | SPANISH_ITEMS)


def test_a_group_is_discarded_in_one_step_and_taken_back_in_one(project):
    loop = loop_of(project, stop=[LabelBudget(10)])
    loop.refit()
    before = project.version()
    assert loop.discard_group(by_kind(loop)["cluster apart"].id, "ann") == 24
    assert project.version() == before + 1
    assert project.discarded() == SPANISH_ITEMS
    assert [group.kind for group in loop.groups()] == ["empty"]
    progress = loop.progress()
    assert (progress.answered, progress.discarded, progress.screened, progress.due) == (0, 0, 24, 5)
    assert not loop.done
    assert set(project.annotations()["origin"]) == {"group"}
    undone = loop.undo("ann")
    assert (undone.kind, undone.together) == ("discard", 24)
    assert project.discarded() == set()
    assert len(loop.groups()) == 2
    assert loop.undo("ann") is None


def test_a_group_that_is_welcome_is_asked_from_the_next_refit_on(project):
    loop = loop_of(project)
    loop.refit()
    assert loop.welcome_group(by_kind(loop)["cluster apart"].id, "ann") == 24
    assert [group.kind for group in loop.groups()] == ["empty"]
    assert loop.refit().round == 1
    assert [group.kind for group in loop.groups()] == ["empty"]
    ranked = {entry.item_id for entry in loop._queue.ranking(project.ledger.loops.last_refit(1))}
    assert ranked & SPANISH_ITEMS
    assert project.labels("human").height == 0
    assert loop.undo("ann").kind == "welcome"
    loop.refit()
    assert set(by_kind(loop)) == {"empty", "cluster apart"}


def test_a_welcome_neither_hides_an_answer_nor_is_one(local):
    loop = loop_of(local)
    loop.refit()
    loop.welcome_group(by_kind(loop)["cluster apart"].id, "ann")
    loop.refit()
    while not (found := [q for q in loop.ask("ann", 50) if q.item_id in SPANISH_ITEMS]):
        for query in loop.ask("ann"):
            loop.tell(query, "ok")
    loop.tell(found[0], "ok")
    assert found[0].item_id in set(local.labels("human")["item_id"])
    loop.undo("ann")
    assert found[0].item_id not in set(local.labels("human")["item_id"])
    assert local.ledger.annotations.welcome() == SPANISH_ITEMS
    assert loop.progress().skipped == 0


def test_what_somebody_answered_or_holds_is_left_out(local):
    loop = loop_of(local, strategy=OutlierGuard(Random(), share=0.0))
    loop.refit()
    group = by_kind(loop)["empty"].id
    with local.ledger.write() as write:
        person = local.ledger.annotations.annotator(write.connection, "bo")
        local.ledger.annotations.add(write, uuid=None, item_id=295, annotator_id=person, kind="unsure")
    assert by_kind(loop)["empty"].size == 5
    assert loop.discard_group(group, "ann") == 5
    assert loop.discard_group(group, "ann") == 0
    assert local.discarded() == EMPTY - {295}


def test_all_items_of_a_group_are_shown_page_by_page(local):
    loop = loop_of(local)
    loop.refit()
    group = by_kind(loop)["cluster apart"].id
    pages = [loop.group_items(group, start, 10) for start in (0, 10, 20, 30)]
    assert [len(page) for page in pages] == [10, 10, 4, 0]
    assert {item["item_id"] for page in pages for item in page} == SPANISH_ITEMS


def test_some_of_a_group_are_left_out_or_chosen(local):
    loop = loop_of(local)
    loop.refit()
    group = by_kind(loop)["cluster apart"].id
    assert loop.discard_group(group, "ann", but=[271, 272]) == 22
    assert loop.welcome_group(group, "ann", only=[271, 1]) == 1
    assert local.discarded() == SPANISH_ITEMS - {271, 272}
    assert local.ledger.annotations.welcome() == {271}


def test_a_step_is_taken_back_whatever_came_after_it(local):
    loop = loop_of(local)
    loop.refit()
    group = by_kind(loop)["cluster apart"].id
    assert [loop.discard_group(group, "ann", uuid="step-1") for _ in range(2)] == [24, 24]
    answered = loop.ask("ann")[0]
    loop.tell(answered, "ok")
    with pytest.raises(LookupError, match="'step-1' is not one of 'bo' in the loop 'l'"):
        loop.undo_step("step-1", "bo")
    assert loop.undo_step("step-1", "ann").together == 24
    assert loop.undo_step("step-1", "ann") is None
    assert local.discarded() == set()
    assert local.labels("human")["item_id"].to_list() == [answered.item_id]


def test_what_is_alone_is_no_group_and_not_discarded_as_one(local, monkeypatch):
    monkeypatch.setattr(OutlierGuard, "_groups", lambda self, pool: np.where(np.arange(len(pool)) < 9, 1, -1))
    loop = loop_of(local)
    loop.refit()
    (alone,) = loop.groups()
    assert (alone.kind, alone.size) == ("unlike the rest", 9)
    with pytest.raises(ValueError, match=r"cannot be discarded as one. Name those that do not belong with only="):
        loop.discard_group(alone.id, "ann")
    assert local.discarded() == set()
    chosen = [item["item_id"] for item in loop.group_items(alone.id, n=2)]
    assert loop.discard_group(alone.id, "ann", only=chosen) == 2
    assert local.discarded() == set(chosen)


def test_an_unknown_group_names_those_there_are(local):
    loop = loop_of(local)
    loop.refit()
    for wrong in ("0-9", "7-0", "x"):
        with pytest.raises(LookupError, match=r"no group.*there are: 0-"):
            loop.discard_group(wrong, "ann")


def test_guards_inside_other_strategies_are_found_and_other_loops_have_no_groups(local):
    nested = 0.5 * Entropy() + 0.5 * OutlierGuard(Random(), share=0.0)
    assert len(list(guards(nested))) == 1
    loop = local.pool_loop("nested", strategy=nested)
    loop.refit()
    assert len(loop.groups()) == 2
    plain = local.pool_loop("plain", strategy=Random())
    plain.refit()
    assert plain.groups() == []


def test_thousands_are_discarded_and_taken_back_in_few_statements(sqlite_url):
    from sqlalchemy import event

    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": [*texts(300, 0, 0), *("?" * n for n in range(1, 3001))]}), progress=False)
    loop = loop_of(project)
    loop.refit()
    (group,) = loop.groups()
    statements = []
    event.listen(project.ledger.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert loop.discard_group(group.id, "ann") == 3000
    assert loop.undo("ann").together == 3000
    assert len(statements) < 100
    assert project.discarded() == set()


def test_a_refit_looks_for_what_to_hold_back_once(local, monkeypatch):
    looked, look = [], OutlierGuard._groups
    monkeypatch.setattr(OutlierGuard, "_groups", lambda self, pool: looked.append(len(pool)) or look(self, pool))
    loop_of(local).refit()
    assert looked == [300]
