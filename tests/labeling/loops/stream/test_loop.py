import logging

import pandas as pd
import polars as pl
import pytest

from labeling import UNSURE, Project, TextClassifier
from storage import close_engines
from strategies import (
    BalancedIncrementalQuantileFilter,
    Entropy,
    FixedBudget,
    FixedThreshold,
    KCenter,
    LeastConfidence,
    Margin,
    Random,
    RandomVariableUncertainty,
    Split,
    VariableUncertainty,
)
from tests.labeling.stream_loops import LABELS, again, asked_first, plain, posts, run, stream_of


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.fixture
def local(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


def test_before_the_first_answer_nothing_is_predicted(project):
    decision = asked_first(stream_of(project))
    assert (decision.predicted, decision.confidence, decision.round, decision.score) == (None, None, 0, 1.0)
    assert decision.query.predicted is None
    assert decision.query.item == {"text": "the idiot"}
    assert decision.query.item_id == decision.item_id


def test_a_key_offered_again_gets_the_decision_that_was_made(project):
    stream = stream_of(project)
    first = stream.offer({"text": "hello"}, key="a")
    stream.tell(first.query, "ok", annotator="ann")
    second = stream.offer({"text": "hello"}, key="a")
    assert second == first
    assert again(project).offer({"text": "something else"}, key="a") == first
    batch = stream.offer_many([{"text": "x"}, {"text": "y"}, {"text": "x"}], keys=["b", "a", "b"])
    assert batch[1] == first
    assert batch[0] == batch[2]
    assert project.items().height == 2
    assert [d.key for d in batch] == ["b", "a", "b"]


@pytest.mark.parametrize("budget", [VariableUncertainty(0.3), Split(0.3), BalancedIncrementalQuantileFilter(0.3)])
def test_a_stream_reopened_after_each_record_decides_the_same(sqlite_url, tmp_path, budget):
    rows = posts(40)
    one = Project.create("p", LABELS, storage=sqlite_url)
    whole = run(stream_of(one, budget), rows)
    two = Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'two.db'}")
    pieces = run(stream_of(two, budget), rows, reopen=lambda: again(two))
    assert plain(pieces) == plain(whole)


def test_a_stream_reopened_decides_the_same_on_any_database(project, tmp_path):
    rows = posts(20)
    other = Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'other.db'}")
    assert plain(run(stream_of(project), rows, reopen=lambda: again(project))) == plain(run(stream_of(other), rows))


def test_many_at_once_are_decided_as_one_by_one(project, tmp_path):
    rows = posts(330)
    one = Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'one.db'}")
    streams = [stream_of(p, Split(0.1)) for p in (project, one)]
    for stream in streams:
        run(stream, rows[:20])
    records = [{"text": text} for text, _ in rows[20:]]
    many = streams[0].offer_many(pl.DataFrame(records))
    assert plain(many) == plain([streams[1].offer(record) for record in records])
    assert plain([again(project).offer({"text": "next"})]) == plain([streams[1].offer({"text": "next"})])


def test_two_consumers_share_one_budget(project):
    rows = posts(120)
    first = stream_of(project, VariableUncertainty(0.1))
    second = again(project)
    decisions = []
    for place, (text, label) in enumerate(rows):
        decision = (second if place % 3 else first).offer({"text": text})
        decisions.append(decision)
        if decision.asked:
            first.tell(decision.query, label, annotator="ann")
    assert [d.position for d in decisions] == list(range(120))
    assert 0.05 <= sum(d.asked for d in decisions) / 120 <= 0.125


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize(
    "kind",
    [FixedBudget, VariableUncertainty, RandomVariableUncertainty, Split, BalancedIncrementalQuantileFilter],
)
def test_the_share_promised_is_the_share_asked(local, kind, share):
    stream = stream_of(local, kind(share))
    run(stream, posts(30))
    stream.offer_many([{"text": text} for text, _ in posts(970, start=30)])
    newest = stream.history().row(-1, named=True)
    assert newest["offered"] == 1000
    assert 0.5 * share <= newest["share"] <= 1.2 * share


def test_answers_may_come_late_or_never(project):
    stream = stream_of(project, VariableUncertainty(0.5))
    asked = [d for d in (stream.offer({"text": text}) for text, _ in posts(12)) if d.asked]
    assert len(asked) >= 4
    assert [query.item_id for query in stream.waiting()] == [d.item_id for d in asked]
    later = again(project)
    for decision in asked[:3]:
        later.tell(later.query(decision.item_id), "ok", annotator="bo")
    assert [query.item_id for query in stream.waiting()] == [d.item_id for d in asked[3:]]
    assert stream.offer({"text": "the flower"}).predicted == "ok"
    assert later.offer({"text": "the flower"}).predicted == "ok"


def test_undo_takes_the_newest_answer_back(project):
    stream = stream_of(project)
    decision = asked_first(stream)
    stream.tell(decision.query, "ok", annotator="ann")
    assert stream.offer({"text": "x"}).predicted == "ok"
    assert stream.undo("ann").label == "ok"
    assert project.labels("human").height == 0
    assert stream.offer({"text": "x"}).predicted is None
    assert stream.undo("ann") is None


def test_unsure_and_discarded_are_on_record_and_not_learned(project):
    stream = stream_of(project, FixedThreshold(0.0))
    stream.tell(asked_first(stream).query, UNSURE, annotator="ann")
    stream.discard(asked_first(stream).query, annotator="ann")
    assert stream.offer({"text": "x"}).predicted is None
    assert project.annotations()["kind"].to_list() == ["unsure", "discard"]
    assert project.annotations()["loop"].to_list() == ["live", "live"]


def test_an_answer_sent_twice_is_stored_once(project):
    stream = stream_of(project)
    query = asked_first(stream).query
    sent = {"annotator": "ann", "uuid": "b5b3a4c4-6f0f-4f3c-9d1e-000000000001"}
    assert stream.tell(query, "ok", **sent) == stream.tell(query, "ok", **sent)
    assert project.annotations().height == 1


def test_history_tells_what_was_offered_asked_and_right(project):
    stream = stream_of(project)
    empty = stream.history()
    assert empty.select("event", "offered", "asked", "share").rows() == [("now", 0, 0, 0.0)]
    decisions = run(stream, posts(40))
    history = stream.history()
    newest = history.row(-1, named=True)
    asked = [d for d in decisions if d.asked]
    truth = [label for d, (_, label) in zip(decisions, posts(40), strict=True) if d.asked]
    judged = [d.predicted == label for d, label in zip(asked, truth, strict=True) if d.predicted is not None]
    assert (newest["offered"], newest["asked"], newest["answered"]) == (40, len(asked), len(asked))
    assert newest["accuracy"] == pytest.approx(sum(judged) / len(judged))
    assert newest["threshold"] == decisions[-1].threshold
    assert history["event"].to_list()[:-1] == ["refit"] * (history.height - 1)
    assert history["offered"].is_sorted()
    assert again(project).history().drop("at").equals(history.drop("at"))


def test_a_fixed_threshold_warns_of_what_it_will_cost(project, caplog):
    stream = stream_of(project, FixedThreshold(0.4))
    with caplog.at_level(logging.WARNING, logger="labeling.stream"):
        stream.offer_many([{"text": f"post {n}"} for n in range(120)])
    assert "asked about 120 of 120 records (100%)" in caplog.text
    assert "about 5,000 of 5,000" in stream.warning(records=5000)
    assert "VariableUncertainty" in stream.history()["notes"][-1][0]


def test_the_process_keeps_no_more_after_many_records(local):
    stream = stream_of(local)
    run(stream, posts(20))
    stream.offer_many([{"text": f"the flower {n}"} for n in range(1500)])
    frontier = stream._consumer.frontier
    assert frontier.position == 1520
    assert len(frontier.confidences.reference) == 200
    assert 200 <= len(frontier.confidences.recent) <= 400


def test_settings_are_stored_and_checked(project):
    stream = stream_of(project, classifier=TextClassifier(C=1.0))
    assert stream.strategy == "LeastConfidence, VariableUncertainty(share=0.3)"
    assert again(project)._settings == stream._settings
    with pytest.raises(ValueError, match="was made with budget = VariableUncertainty"):
        project.stream_loop("live", budget=VariableUncertainty(0.2))
    with pytest.raises(ValueError, match=r"is a stream loop\. Open it with stream_loop"):
        project.pool_loop("live")
    with pytest.raises(KeyError, match=r"no stream 'other'; loops: 'live'\. To make it, pass strategy= and budget="):
        project.stream_loop("other")
    (info,) = project.loops()
    assert (info.name, info.kind, info.answered, info.budget) == ("live", "stream", 0, None)


@pytest.mark.parametrize("strategy", [KCenter(), Random(), 0.5 * Entropy() + 0.5 * KCenter()])
def test_a_strategy_that_needs_a_pool_is_refused(local, strategy):
    with pytest.raises(ValueError, match="a stream decides about each record alone"):
        local.stream_loop("s", strategy=strategy, budget=FixedBudget(0.1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"seed": -1}, "seed must be"), ({"memory": 0}, "memory must be"), ({"boost": 0.5}, "boost must lie between 1")],
)
def test_a_setting_out_of_range_is_refused(local, settings, message):
    with pytest.raises(ValueError, match=message):
        local.stream_loop("s", strategy=Margin(), budget=FixedBudget(0.1), **settings)


def test_a_query_of_another_loop_is_refused(local):
    query = asked_first(stream_of(local)).query
    other = stream_of(local, name="other")
    with pytest.raises(ValueError, match="belongs to the loop 'live', not to 'other'"):
        other.tell(query, "ok", annotator="ann")
    with pytest.raises(LookupError, match="did not ask about an item"):
        other.query(query.item_id)
    with pytest.raises(ValueError, match="Say who answers"):
        stream_of(local).tell(query, "ok")


def test_a_mixture_of_scores_decides_too(local):
    stream = local.stream_loop("s", strategy=0.5 * Entropy() + 0.5 * Margin(), budget=FixedBudget(0.5), seed=1)
    run(stream, posts(20))
    close_engines()
    reopened = Project.open("p", storage=local.ledger.full_url).stream_loop("s")
    assert reopened.strategy == stream.strategy


def test_a_pandas_frame_is_offered_as_a_polars_frame_is(sqlite_url):
    decisions = []
    for name, frame in (("polars", pl.DataFrame), ("pandas", pd.DataFrame)):
        project = Project.create(name, ["no", "yes"], storage=sqlite_url)
        stream = project.stream_loop("s", strategy=LeastConfidence(), budget=VariableUncertainty(0.5), seed=1)
        made = stream.offer_many(frame({"text": ["alpha", "beta", None, "gamma"], "n": [1, 2, 3, 4]}))
        decisions.append([(decision.asked, decision.threshold) for decision in made])
    assert decisions[0] == decisions[1]
