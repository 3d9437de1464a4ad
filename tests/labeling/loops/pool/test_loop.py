from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from labeling import MajorityVote, Project, QueueEmpty, TargetScore, TextClassifier, keyword
from labeling.classifiers.base import Classifier
from strategies import Entropy, Margin, Random, Strategy
from tests.labeling.pool_loops import LABELS, again, ids, loop_of, project_of


@pytest.fixture
def project(storage_url):
    return project_of(storage_url)


@pytest.fixture
def local(sqlite_url):
    return project_of(sqlite_url)


def test_ask_gives_a_batch_in_rank_order_and_the_same_until_it_is_answered(project):
    loop = loop_of(project)
    queries = loop.ask("ann")
    assert len(queries) == 3
    assert [query.rank for query in queries] == [0, 1, 2]
    assert queries[0].item["text"].startswith(("you", "good"))
    assert ids(loop.ask("ann")) == ids(queries) == ids(again(project).ask("ann"))
    loop.tell(queries[1], "ok")
    assert ids(loop.ask("ann", 10)) == [queries[0].item_id, queries[2].item_id]


def test_two_annotators_are_never_asked_the_same(project):
    loop = loop_of(project)
    ann, bo = loop.ask("ann", 5), again(project).ask("bo", 7)
    assert sorted(ids(ann) + ids(bo)) == list(range(1, 13))
    with pytest.raises(QueueEmpty, match="being worked on by other annotators"):
        loop.ask("cy")


def test_more_annotators_than_a_ranking_is_long_all_get_questions(sqlite_url):
    loop = loop_of(project_of(sqlite_url, 300), batch_size=20)
    asked = [item for number in range(8) for item in ids(loop.ask(f"person {number}"))]
    assert len(asked) == len(set(asked)) == 160


def test_one_who_skips_all_that_is_ranked_is_asked_the_rest_of_the_pool(sqlite_url):
    loop = loop_of(project_of(sqlite_url, 130), batch_size=26)
    seen = []
    while len(seen) < 130:
        for query in loop.ask("ann"):
            seen.append(query.item_id)
            loop.skip(query)
    assert sorted(seen) == list(range(1, 131))
    assert sorted(ids(loop.ask("ann"))) == sorted(seen[:26])


def test_held_out_items_are_never_asked(project):
    project.set_holdout(0.5, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    loop = loop_of(project, batch_size=4)
    seen = set()
    while not loop.done:
        for query in loop.ask("ann"):
            seen.add(query.item_id)
            loop.tell(query, "ok")
    assert len(held) == 6
    assert seen == set(range(1, 13)) - held
    assert loop.stopped == "Every item of the pool has an answer."


def test_items_held_out_or_erased_in_the_middle_are_asked_no_more(project):
    loop = loop_of(project, batch_size=2)
    loop.tell(loop.ask("ann")[0], "ok")
    project.set_holdout(0.5, seed=1)
    held = set(project.labels("gold").filter(pl.col("role") == "holdout")["item_id"])
    ranked = [entry.item_id for entry in loop._queue.ranking(project.ledger.loops.last_refit(1))]
    erased = next(item for item in reversed(ranked) if item not in held)
    project.erase([erased])
    asked = ids(loop.ask("bo", 12, refit=False))
    assert asked
    assert not set(asked) & (held | {erased})


def test_the_pool_runs_dry_and_new_items_open_it_again(project):
    loop = loop_of(project, batch_size=12)
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    assert loop.stopped == "Every item of the pool has an answer."
    with pytest.raises(QueueEmpty, match="Every item of the pool has an answer"):
        loop.ask("ann")
    project.add_items(pl.DataFrame({"text": ["one more"]}))
    assert not loop.done
    assert ids(loop.ask("ann")) == [13]


def test_a_loop_without_items_says_so(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    loop = loop_of(project)
    assert not loop.done
    with pytest.raises(QueueEmpty, match="no items"):
        loop.ask("ann")


def test_a_first_batch_of_one_class_trains_and_asks_on(project):
    loop = loop_of(project)
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    refit = loop.refit()
    assert (refit.labels, refit.metrics["trained"]) == (3, True)
    assert loop.history()["asked_ok"].to_list() == [3]
    assert len(loop.ask("ann")) == 3


@pytest.mark.parametrize("texts", [["", "", ""], ["?!", "...", ""], ["a b", "", "   "]])
def test_texts_without_words_are_asked_and_learned_from(sqlite_url, texts):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"id": ["1", "2", "3"], "text": texts, "n": [1, 2, 3]}))
    loop = loop_of(project, batch_size=1)
    for label in ("ok", "offensive"):
        loop.tell(loop.ask("ann")[0], label)
    loop.refit()
    (last,) = loop.ask("ann")
    assert np.isfinite(last.score)
    assert sum(last.probabilities.values()) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_an_annotator_needs_a_name(local, name):
    with pytest.raises(ValueError, match="annotator needs a name"):
        loop_of(local).ask(name)


@pytest.mark.parametrize("n", [0, -1])
def test_asking_for_nothing_is_refused(local, n):
    with pytest.raises(ValueError, match="at least 1"):
        loop_of(local).ask("ann", n)


def test_a_refit_without_news_is_the_last_one(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    assert loop.refit().round == loop.refit().round == 0
    loop.tell(query, "ok")
    assert loop.refit().round == 1
    assert again(project).refit().round == 1


def test_ask_refits_when_a_round_is_complete(project):
    loop = loop_of(project)
    for query in loop.ask("ann"):
        assert not loop.round_complete
        loop.tell(query, "ok")
    assert loop.round_complete
    assert loop.ask("ann")[0].round == 1
    assert not loop.round_complete


def test_ask_without_refit_serves_from_the_ranking_there_is(project):
    loop = loop_of(project)
    for query in loop.ask("ann"):
        loop.tell(query, "ok")
    assert [query.round for query in loop.ask("ann", refit=False)] == [0, 0, 0]


def test_weak_labels_choose_the_first_questions(project):
    project.add_functions([keyword("insult", ["idiot"], "offensive")])
    project.weak_label(MajorityVote(threshold=0.5, otherwise="ok"))
    loop = loop_of(project)
    assert loop.refit().metrics["weak_labels"] == 4
    assert loop.ask("ann")[0].predicted in ("ok", "offensive")


def test_a_target_score_ends_the_loop(project):
    project.set_holdout(0.34, seed=0)
    gold = dict(project.labels("gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop("l", strategy=Random(), batch_size=4, stop=[TargetScore("accuracy", 0.6)])
    while not loop.done:
        for query in loop.ask("ann"):
            loop.tell(query, gold[query.item_id])
        loop.refit()
    assert loop.stopped.startswith("accuracy on the hold-out reached")
    assert loop.history()["judged"].unique().to_list() == [4]


def test_history_has_a_row_a_trained_refit(project):
    loop = loop_of(project, strategy=Margin())
    assert loop.history().height == 0
    for _ in range(2):
        for query in loop.ask("ann"):
            loop.tell(query, "ok")
        loop.refit()
    history = loop.history()
    assert history.select("round", "labels", "strategy", "accuracy").rows() == [
        (1, 3, "Margin", None),
        (2, 6, "Margin", None),
    ]


def test_progress_tells_a_persons_pace(project):
    loop = loop_of(project, batch_size=6)
    for query in loop.ask("ann"):
        loop.tell(query, "ok", seconds=3.0)
    assert loop.progress("ann").pace == pytest.approx(20.0)
    assert loop.progress("bo").pace is None
    assert loop.progress("nobody").pace is None


@dataclass(frozen=True)
class Shortest(Strategy):
    """Asks the lowest item first."""

    def score(self, pool, rng=None):
        return np.linspace(1.0, 0.0, len(pool))


def test_a_strategy_of_ones_own_works(project):
    assert ids(loop_of(project, strategy=Shortest()).ask("ann")) == [1, 2, 3]


@dataclass(frozen=True)
class Careful(TextClassifier):
    """A classifier of the user's own."""


def test_a_classifier_of_ones_own_must_be_passed_again(project):
    project.pool_loop("l", strategy=Entropy(), classifier=Careful())
    with pytest.raises(LookupError, match="Pass the object again"):
        again(project)
    assert isinstance(Careful(), Classifier)
    assert project.pool_loop("l", classifier=Careful()).ask("ann")
