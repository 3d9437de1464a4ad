from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from labeling import UNSURE, LabelBudget, MajorityVote, Project, QueueEmpty, TargetScore, TextClassifier, keyword
from labeling.classifiers import Classifier
from storage import tables
from strategies import Entropy, LeastConfidence, Margin, Random, Strategy

LABELS = ["ok", "offensive"]


def posts(n):
    """n posts, every third an insult."""
    return pl.DataFrame(
        {
            "text": [f"you idiot {n}" if n % 3 == 0 else f"good morning {n}" for n in range(n)],
            "label": ["offensive" if n % 3 == 0 else "ok" for n in range(n)],
        }
    )


def project_of(url, n=12):
    project = Project.create("p", LABELS, storage=url)
    project.add_items(posts(n), gold="label")
    return project


@pytest.fixture
def project(storage_url):
    return project_of(storage_url)


@pytest.fixture
def local(sqlite_url):
    return project_of(sqlite_url)


def loop_of(project, budget=None, batch_size=3, strategy=None, name="l"):
    stop = [] if budget is None else [LabelBudget(budget)]
    return project.pool_loop(name, strategy=strategy or Entropy(), batch_size=batch_size, seed=7, stop=stop)


def again(project, name="l"):
    """The loop as another process opens it."""
    return Project.open("p", storage=project.ledger.full_url).pool_loop(name)


def ids(queries):
    return [query.item_id for query in queries]


def expire_leases(project):
    """Let half an hour pass, as the database sees it."""
    with project.ledger.unstamped() as connection:
        connection.execute(update(tables.leases).values(expires_at=0.0))


def human(project):
    return dict(project.labels("human").select("item_id", "label").iter_rows())


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


def test_an_answer_is_a_fact_with_its_circumstances(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    annotation = loop.tell(query, "offensive", seconds=2.5, uuid="u-1", suggestion_shown=True)
    assert (annotation.kind, annotation.label, annotation.annotator) == ("answer", "offensive", "ann")
    assert annotation.query_id == query.id
    row = project.annotations().row(0, named=True)
    assert (row["item_id"], row["seconds"], row["uuid"], row["loop"]) == (query.item_id, 2.5, "u-1", "l")
    assert human(project) == {query.item_id: "offensive"}
    assert loop.query(query.id).answer == "offensive"


def test_an_answer_sent_twice_is_stored_once(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    first, second = (loop.tell(query, "ok", uuid="u-1") for _ in range(2))
    assert first == second
    assert project.annotations().height == 1
    assert loop.progress().answered == 1


def test_a_second_answer_corrects_the_first_and_undo_brings_it_back(project):
    loop = loop_of(project, budget=5)
    query = loop.ask("ann")[0]
    loop.tell(query, "ok")
    loop.tell(query, "offensive")
    assert human(project) == {query.item_id: "offensive"}
    assert loop.progress().answered == 1
    assert loop.undo("ann").label == "offensive"
    assert human(project) == {query.item_id: "ok"}
    assert (loop.progress().answered, loop.progress().open) == (1, 2)
    assert loop.undo("ann").label == "ok"
    assert human(project) == {}
    assert loop.undo("ann") is None
    assert project.annotations()["kind"].to_list() == ["answer", "answer", "undo", "undo"]


def test_unsure_counts_as_an_answer_and_is_no_label(project):
    loop = loop_of(project, budget=2)
    first, second = loop.ask("ann")
    loop.tell(first, UNSURE)
    loop.tell(second, "ok")
    assert loop.stopped == "The budget of 2 labels is used."
    assert human(project) == {second.item_id: "ok"}
    assert (loop.progress().answered, loop.progress().unsure) == (2, 1)
    assert loop.query(first.id).answer == "unsure"
    assert loop.refit().labels == 1


def test_a_discarded_item_leaves_the_pool_the_labels_and_the_export(project, tmp_path):
    loop = loop_of(project, batch_size=6)
    first = loop.ask("ann")[0]
    loop.discard(first)
    rest = ids(loop.ask("ann")) + ids(loop.ask("bo", 12))
    assert sorted([first.item_id, *rest]) == list(range(1, 13))
    assert project.discarded() == {first.item_id}
    project.export(tmp_path / "out.jsonl")
    assert first.item_id not in pl.read_ndjson(tmp_path / "out.jsonl")["item_id"].to_list()


def test_a_skipped_item_goes_to_others_and_comes_back_last(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.skip(first)
    loop.tell(second, "ok")
    loop.tell(third, "ok")
    assert ids(loop.ask("bo", 1)) == [first.item_id]
    loop.skip(loop.ask("bo")[0])
    seen = []
    while not loop.done:
        for query in loop.ask("ann"):
            seen.append(query.item_id)
            loop.tell(query, "ok")
    assert seen[-1] == first.item_id
    assert sorted([*seen, second.item_id, third.item_id]) == list(range(1, 13))


def test_one_who_skips_all_that_is_ranked_is_asked_the_rest_of_the_pool(sqlite_url):
    loop = loop_of(project_of(sqlite_url, 130), batch_size=26)
    seen = []
    while len(seen) < 130:
        for query in loop.ask("ann"):
            seen.append(query.item_id)
            loop.skip(query)
    assert sorted(seen) == list(range(1, 131))
    assert sorted(ids(loop.ask("ann"))) == sorted(seen[:26])


def test_an_answer_by_somebody_else_frees_the_item_from_who_was_asked(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "ok", annotator="bo")
    assert ids(loop.ask("ann")) == [second.item_id, third.item_id]
    assert project.annotations()["annotator"].to_list() == ["bo"]


def test_leases_that_expired_go_to_others_and_late_answers_are_kept(project):
    loop = loop_of(project, batch_size=12)
    queries = loop.ask("ann")
    with pytest.raises(QueueEmpty):
        loop.ask("bo")
    expire_leases(project)
    assert ids(loop.ask("bo")) == ids(queries)
    loop.tell(queries[0], "ok")
    assert human(project) == {queries[0].item_id: "ok"}


def test_asking_again_starts_the_time_of_a_lease_anew(project):
    loop = loop_of(project)
    queries = loop.ask("ann")
    with project.ledger.unstamped() as connection:
        soon = tables.leases.c.expires_at - 1700.0
        connection.execute(update(tables.leases).values(expires_at=soon))
        before = connection.exec_driver_sql("SELECT max(expires_at) FROM leases").scalar()
    loop.ask("ann")
    with project.ledger.read() as connection:
        after = connection.exec_driver_sql("SELECT min(expires_at) FROM leases").scalar()
    assert after > before + 1600
    assert ids(loop.ask("ann")) == ids(queries)


def test_two_annotators_share_one_budget_exactly(project):
    loop = loop_of(project, budget=5, batch_size=3)
    ann, bo = loop.ask("ann"), loop.ask("bo")
    assert (len(ann), len(bo)) == (3, 2)
    with pytest.raises(QueueEmpty, match="The 5 answers left in the budget of 5 are with other annotators"):
        loop.ask("cy")
    loop.skip(bo[0])
    (given,) = loop.ask("cy")
    for query in (*ann, bo[1], given):
        assert not loop.done
        loop.tell(query, "ok")
    assert loop.done
    with pytest.raises(QueueEmpty, match="The budget of 5 labels is used"):
        loop.ask("ann")


def test_undoing_a_skip_whose_place_in_the_budget_is_taken_opens_nothing(project):
    loop = loop_of(project, budget=1)
    (mine,) = loop.ask("ann")
    loop.skip(mine)
    (yours,) = loop.ask("bo")
    assert loop.undo("ann").kind == "skip"
    with pytest.raises(QueueEmpty):
        loop.ask("ann")
    loop.tell(yours, "ok")
    assert loop.progress().answered == 1
    assert loop.done


def test_undoing_a_skip_of_what_somebody_answered_opens_nothing(project):
    loop = loop_of(project, batch_size=1)
    (mine,) = loop.ask("ann")
    loop.skip(mine)
    (theirs,) = loop.ask("bo")
    assert theirs.item_id == mine.item_id
    loop.tell(theirs, "ok")
    loop.undo("ann")
    assert mine.item_id not in ids(loop.ask("ann"))


def test_undo_reopens_the_question_and_gives_the_place_in_the_budget_back(project):
    loop = loop_of(project, budget=2)
    first, second = loop.ask("ann")
    loop.tell(first, "ok")
    loop.tell(second, "ok")
    assert loop.done
    loop.undo("ann")
    assert not loop.done
    assert ids(loop.ask("ann")) == [second.item_id]
    loop.tell(loop.ask("ann")[0], "offensive")
    assert human(project) == {first.item_id: "ok", second.item_id: "offensive"}


def test_each_takes_back_only_their_own(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    loop.tell(query, "ok")
    assert loop.undo("bo") is None
    assert human(project) == {query.item_id: "ok"}


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


def test_a_class_added_in_the_middle_can_be_answered_and_learned(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "ok")
    project.add_label("spam")
    loop.tell(second, "spam")
    loop.tell(third, "offensive")
    loop.refit()
    assert human(project) == {first.item_id: "ok", second.item_id: "spam", third.item_id: "offensive"}
    assert set(loop.ask("ann")[0].probabilities) == {"ok", "offensive", "spam"}
    assert loop.history()["asked_spam"].to_list() == [1]


def test_a_class_renamed_in_the_middle_keeps_its_answers(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "offensive")
    project.rename_label("offensive", "abusive")
    loop.tell(second, "abusive")
    loop.tell(third, "offensive")
    assert set(human(project).values()) == {"abusive"}
    loop.refit()
    assert loop.history()["asked_abusive"].to_list() == [3]


def test_an_unknown_label_is_refused_with_the_known_ones(project):
    query = loop_of(project).ask("ann")[0]
    with pytest.raises(ValueError, match=r"'ofensive'.*'ok', 'offensive'.*mean 'offensive'"):
        again(project).tell(query, "ofensive")
    with pytest.raises(TypeError, match="name of a class or UNSURE, got 1"):
        again(project).tell(query, 1)
    assert project.annotations().height == 0


def test_a_query_of_another_loop_is_refused(project):
    query = loop_of(project).ask("ann")[0]
    other = loop_of(project, name="other")
    with pytest.raises(ValueError, match="belongs to the loop 'l', not to 'other'"):
        other.tell(query, "ok")
    with pytest.raises(LookupError, match="no query"):
        other.query(query.id)


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


@pytest.mark.parametrize("strategy", [LeastConfidence(), Margin(), Entropy(), Random()], ids=lambda s: type(s).__name__)
def test_stopping_anywhere_changes_no_question(tmp_path, strategy):
    def asked(path, interrupted):
        project = project_of(f"sqlite:///{path}")
        loop, seen = loop_of(project, budget=8, strategy=strategy), []
        while not loop.done:
            for query in loop.ask("ann"):
                seen.append(query.item_id)
                loop.tell(query, "offensive" if query.item_id % 3 == 1 else "ok")
                if interrupted:
                    loop = again(project)
                    loop.refit() if loop.round_complete else None
            loop.refit()
        return seen

    assert asked(tmp_path / "a.db", False) == asked(tmp_path / "b.db", True)


class Model:
    """What a person did and should see, kept beside the loop."""

    def __init__(self):
        self.stacks = {}
        self.done_by = {"ann": [], "bo": []}

    def act(self, name, item, kind):
        self.stacks.setdefault((item, name), []).append(kind)
        self.done_by[name].append((item, kind))

    def undo(self, name):
        if not self.done_by[name]:
            return None
        item, kind = self.done_by[name].pop()
        assert self.stacks[item, name].pop() == kind
        return item, kind

    def current(self):
        return {key: stack[-1] for key, stack in self.stacks.items() if stack}

    def answered(self):
        return {item for (item, _), kind in self.current().items() if kind != "skip"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "tell", "tell", "unsure", "skip", "discard", "undo", "refit", "reopen", "correct"]),
        st.sampled_from(["ann", "bo"]),
        st.integers(0, 3),
    ),
    min_size=5,
    max_size=40,
)


@given(steps=STEPS, budget=st.integers(1, 9))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_people_do_nobody_is_asked_twice_and_counts_are_exact(tmp_path_factory, steps, budget):
    project = project_of(f"sqlite:///{tmp_path_factory.mktemp('loop') / 'work.db'}", 8)
    loop = loop_of(project, budget=budget, batch_size=2, strategy=Random())
    model, held = Model(), {"ann": [], "bo": []}
    other = {"ann": "bo", "bo": "ann"}
    for step, name, which in steps:
        if step == "ask":
            before = held[name]
            try:
                held[name] = loop.ask(name)
            except QueueEmpty:
                held[name] = []
            if before:
                assert ids(held[name]) == ids(before)
            else:
                assert not set(ids(held[name])) & model.answered()
            assert not set(ids(held[name])) & set(ids(held[other[name]]))
        elif step in ("tell", "unsure", "skip", "discard") and held[name]:
            query = held[name].pop(which % len(held[name]))
            if step == "tell":
                loop.tell(query, LABELS[which % 2])
            elif step == "unsure":
                loop.tell(query, UNSURE)
            else:
                getattr(loop, step)(query)
            model.act(name, query.item_id, "answer" if step == "tell" else step)
        elif step == "undo":
            expected = model.undo(name)
            undone = loop.undo(name)
            assert (undone and (undone.item_id, undone.kind)) == expected
            held[name] = loop._queue.open(name)
        elif step == "refit":
            loop.refit()
        elif step == "reopen":
            loop = again(project)
            assert ids(loop._queue.open(name)) == ids(held[name])
        progress, kinds = loop.progress(), list(model.current().values())
        assert progress.answered == len(kinds) - kinds.count("skip")
        assert (progress.unsure, progress.discarded) == (kinds.count("unsure"), kinds.count("discard"))
        assert progress.skipped == kinds.count("skip")
        assert progress.answered + progress.open <= budget
        assert progress.open == len(held["ann"]) + len(held["bo"])
        assert set(human(project)) == {item for (item, _), kind in model.current().items() if kind == "answer"}
        assert loop.done == (progress.answered >= budget or len(model.answered()) == 8)
    while loop.undo("ann") or loop.undo("bo"):
        pass
    assert loop.progress().answered == 0
    assert human(project) == {}


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
