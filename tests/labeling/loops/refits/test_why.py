import polars as pl
import pytest

from labeling import MajorityVote, Project, keyword
from labeling.loops.simulation.simulate import simulate
from strategies import Margin, Random

LABELS = ["ok", "offensive"]
TEXTS = [f"you idiot {word} senate" for word in ("red", "blue", "green", "grey")] + [
    f"good morning {word} friend" for word in ("red", "blue", "green", "grey", "black", "white")
]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": TEXTS}), progress=False)
    project.add_functions([keyword("insult", ["idiot"], "offensive"), keyword("polite", ["good"], "ok")])
    return project


def label_of(query):
    return "offensive" if "idiot" in query.item["text"] else "ok"


def test_why_an_item_is_asked_is_kept_as_it_was_when_it_was_ranked(project):
    loop = project.pool_loop("l", strategy=0.5 * Margin() + 0.5 * Random(), batch_size=4, seed=1)
    given = {}
    first = loop.ask("ann")
    for query in first:
        assert query.why.nearest == ()
        assert query.why.predicted is None
        given[query.item_id] = label_of(query)
        loop.tell(query, given[query.item_id])
    assert set(given.values()) == set(LABELS)
    loop.refit()
    query = loop.ask("ann")[0]
    why = query.why
    assert (why.strategy, why.score, why.parts) == (query.strategy, query.score, query.parts)
    assert set(why.parts) == {"Margin", "Random"}
    assert why.probabilities == query.probabilities
    assert sum(why.probabilities.values()) == pytest.approx(1.0, abs=1e-4)
    assert why.votes == {"insult": "offensive"} if "idiot" in query.item["text"] else {"polite": "ok"}
    assert 1 <= len(why.nearest) <= 3
    similar = [near.similarity for near in why.nearest]
    assert similar == sorted(similar, reverse=True)
    assert 0 < similar[-1] <= similar[0] <= 1
    assert all(near.label == given[near.item_id] for near in why.nearest)
    assert why.nearest[0].label == label_of(query)
    # Labels and rules that come later do not change what was.
    project.remove_function("insult")
    project.rename_label("ok", "fine")
    for one in loop.ask("ann"):
        loop.tell(one, "offensive")
    loop.refit()
    again = Project.open("p", storage=project.ledger.full_url).pool_loop("l").query(query.id)
    assert [near.item_id for near in again.why.nearest] == [near.item_id for near in why.nearest]
    assert "fine" in {near.label for near in again.why.nearest} | set(again.why.probabilities)
    assert set(again.why.votes) == set(why.votes)


def test_reasons_come_with_any_question_first_to_last(project):
    project.weak_label(MajorityVote(otherwise="ok"))
    loop = project.pool_loop("l", strategy=Margin(), batch_size=3)
    while not loop.done:
        for query in loop.ask("ann"):
            assert len(query.why.votes) == 1
            loop.tell(query, label_of(query))


def test_a_loop_that_checks_labels_says_nothing_of_them(project):
    from labeling.loops.pool.opening import open_pool_loop

    loop = open_pool_loop(project.store, "check", Random(), None, 3, 0, None, blind=True)
    assert loop.ask("ann")[0].why is None


def test_a_query_from_before_reasons_were_kept_has_none(project):
    loop = project.pool_loop("l", strategy=Margin(), batch_size=3)
    query = loop.ask("ann")[0]
    with project.ledger.unstamped() as connection:
        connection.exec_driver_sql("UPDATE queries SET why = NULL")
    assert loop.query(query.id).why is None
    assert loop.alike(loop.query(query.id)) == []


def test_a_simulation_asks_one_of_each_group_of_near_duplicates(monkeypatch):
    seen = []

    class Watching(Random):
        def choose(self, pool, n, rng=None):
            seen.append(sorted(pool.key.tolist()))
            return super().choose(pool, n, rng)

    base = "everybody here in this thread knows it by now"
    texts = [f"{base} {word}" for word in ("red", "blue", "green")] + [f"unlike number {n}" for n in range(9)]
    frame = pl.DataFrame({"text": texts, "label": ["a", "b"] * 6})
    simulate(frame, gold="label", strategies={"w": Watching()}, start=2, batch_size=1, rounds=2, seeds=[0])
    assert seen
    assert all(len({0, 1, 2} & set(keys)) <= 1 for keys in seen)
