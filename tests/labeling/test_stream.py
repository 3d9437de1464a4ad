import logging
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from labeling import UNSURE, Project, TextClassifier
from labeling.drift import ErrorRise, KolmogorovSmirnov
from labeling.stream_learning import Refits
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
    Split,
    VariableUncertainty,
)

LABELS = ["ok", "offensive"]
RUDE = ["idiot", "moron", "clown", "fool"]
KIND = ["morning", "flower", "music", "bread"]


def posts(n, start=0):
    """(text, label) of n posts: a word that tells, and one that does not."""
    rng = np.random.default_rng(start)
    made = []
    for i in range(start, start + n):
        label = "offensive" if rng.random() < 0.4 else "ok"
        word = rng.choice(RUDE if label == "offensive" else KIND)
        made.append((f"the {word} of day{i % 17}", label))
    return made


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.fixture
def local(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


def stream_of(project, budget=None, name="live", **settings):
    return project.stream_loop(
        name, strategy=LeastConfidence(), budget=budget or VariableUncertainty(0.3), seed=3, **settings
    )


def again(project, name="live"):
    """The stream as another process opens it."""
    return Project.open("p", storage=project.ledger.full_url).stream_loop(name)


def run(stream, rows, reopen=None):
    """Offer rows one by one, answer what is asked, and return the decisions."""
    made = []
    for text, label in rows:
        decision = stream.offer({"text": text})
        made.append(decision)
        if decision.asked:
            stream.tell(decision.query, label, annotator="ann")
        if reopen is not None:
            stream = reopen()
    return made


def plain(decisions):
    """What two runs must agree about."""
    return [replace(decision, query=None) for decision in decisions]


def asked_first(stream, text="the idiot"):
    decision = stream.offer({"text": text})
    assert decision.asked
    return decision


def test_before_the_first_answer_nothing_is_predicted(project):
    decision = asked_first(stream_of(project))
    assert (decision.predicted, decision.confidence, decision.round, decision.score) == (None, None, 0, 1.0)
    assert decision.query.predicted is None
    assert decision.query.item == {"text": "the idiot"}
    assert decision.query.item_id == decision.item_id


def test_answers_are_learned_from(project):
    stream = stream_of(project)
    decisions = run(stream, posts(60))
    late = [(d.predicted, label) for d, (_, label) in zip(decisions, posts(60), strict=True)][40:]
    assert sum(p == t for p, t in late) / len(late) > 0.9
    assert decisions[-1].round > 0
    assert project.labels("human").height == sum(d.asked for d in decisions)


def test_one_class_only_is_predicted_with_little_confidence(project):
    stream = stream_of(project)
    stream.tell(asked_first(stream).query, "offensive", annotator="ann")
    decision = stream.offer({"text": "unseen words only"})
    assert decision.predicted == "offensive"
    assert 0.5 < decision.confidence < 1.0


def test_every_arrival_is_an_item_however_often_it_came(project):
    stream = stream_of(project)
    ids = [stream.offer({"text": "again"}).item_id for _ in range(3)]
    assert project.items()["item_id"].to_list() == ids
    assert len(set(ids)) == 3


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
@pytest.mark.parametrize("kind", [FixedBudget, VariableUncertainty, Split, BalancedIncrementalQuantileFilter])
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


def test_what_a_pool_loop_learned_from_is_known_from_the_start(project):
    rows = posts(40)
    project.add_items(pl.DataFrame(rows, schema=["text", "label"], orient="row"), gold="label")
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop("pool", strategy=Entropy(), batch_size=20)
    for query in loop.ask("ann"):
        loop.tell(query, truth[query.item_id])
    decision = stream_of(project).offer({"text": "the idiot of day1"})
    assert decision.predicted == "offensive"


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


def test_a_class_added_later_can_be_told_and_predicted(project):
    stream = stream_of(project, FixedThreshold(0.0))
    run(stream, posts(6))
    project.add_label("spam")
    for _ in range(4):
        stream.tell(asked_first(stream, "buy now cheap").query, "spam", annotator="ann")
    assert stream.offer({"text": "buy now cheap"}).predicted == "spam"
    assert plain([again(project).offer({"text": "x"})])[0].round > 0


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


def test_labels_that_turn_are_noticed_and_boost_the_share(local):
    stream = stream_of(local, VariableUncertainty(0.3), boost=2.0, boost_records=100)
    run(stream, posts(200))
    assert "drift" not in stream.history()["event"].to_list()
    turned = [(text, "ok" if label == "offensive" else "offensive") for text, label in posts(250, start=200)]
    decisions = run(stream, turned)
    drifts = stream.history().filter(pl.col("event") == "drift")
    assert drifts.height == 1
    assert "the model was wrong on" in drifts["notes"][0][0]
    at = drifts["offered"][0] - 200
    assert [d.boost for d in decisions[at : at + 100]] == [2.0] * 100
    assert decisions[at - 1].boost == 1.0
    right = [d.predicted == label for d, (_, label) in zip(decisions, turned, strict=True)]
    assert sum(right[-50:]) > 40
    assert again(local).offer({"text": "x"}).boost == stream.offer({"text": "x"}).boost


def test_other_texts_are_noticed_without_answers(local):
    stream = stream_of(local)
    run(stream, posts(60))
    stream.offer_many([{"text": text} for text, _ in posts(400, start=100)])
    before = stream.history()
    assert "drift" not in before["event"].to_list()
    stream.offer_many([{"text": f"otro idioma {n}"} for n in range(400)])
    drifts = stream.history().filter(pl.col("event") == "drift")
    assert drifts.height >= 1
    assert "Kolmogorov-Smirnov" in drifts["notes"][0][0]
    assert plain([again(local).offer({"text": "x"})])[0].position == 860


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


def test_memory_bounds_what_is_learned_from(local):
    stream = stream_of(local, FixedThreshold(0.0), memory=10)
    run(stream, posts(30))
    assert stream._consumer.learned.answers == 10


def test_numbers_make_a_classifier_of_their_own(project):
    rng = np.random.default_rng(0)
    stream = stream_of(project, FixedThreshold(0.0))
    decisions = []
    for _ in range(40):
        label = rng.integers(2)
        decision = stream.offer({"price": float(rng.normal(3.0 * label)), "demand": np.float32(rng.normal())})
        decisions.append((decision.predicted, LABELS[label]))
        stream.tell(decision.query, LABELS[label], annotator="ann")
    assert sum(p == t for p, t in decisions[20:]) >= 15
    assert project.columns == {"price": pl.Float64(), "demand": pl.Float64()}


def test_records_keep_every_kind_of_value(project):
    stream = stream_of(project)
    moment = datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC)
    record = {
        "text": "nul \x00 half \ud83d é",
        "likes": 3,
        "share": 0.5,
        "seen": True,
        "day": date(2026, 1, 2),
        "at": moment,
        "vector": np.array([1.0, 2.0]),
        "nothing": None,
    }
    stream.offer(record)
    stream.offer({"text": None, "likes": 2.5, "more": "new column", "share": float("nan")})
    rows = project.items().drop("item_id").to_dicts()
    expected = {"text": "nul \x00 half ? é", "likes": 3.0, "vector": [1.0, 2.0], "nothing": None, "more": None}
    assert rows[0] == {**record, **expected}
    assert rows[1]["likes"] == 2.5
    assert (rows[1]["text"], rows[1]["share"], rows[1]["more"]) == (None, None, "new column")
    assert project.text_column == "text"


def test_columns_keep_the_part_they_play_in_the_project(project):
    frame = pl.DataFrame({"id": ["1"], "body": ["a b"], "mail": ["x@y"]})
    project.add_items(frame, text="body", id="id", private=["mail"])
    decision = stream_of(project).offer({"id": 2, "body": "c d", "mail": "z@y"})
    assert decision.query.item == {"id": "2", "body": "c d"}
    assert project.items().rows() == [(1, "1", "a b"), (decision.item_id, "2", "c d")]
    assert project.items(private=True)["mail"].to_list() == ["x@y", "z@y"]
    with pytest.raises(ValueError, match="A record has no 'body', which holds the text"):
        again(project).offer({"text": "c d"})


def test_imports_and_exports_see_streamed_items(project, tmp_path):
    stream = stream_of(project)
    stream.tell(stream.offer({"text": "hello you"}).query, "ok", annotator="ann")
    report = project.add_items(pl.DataFrame({"text": ["hello you", "fresh"]}), text="text")
    assert (report.known, report.added) == (1, 1)
    project.export(tmp_path / "out.csv")
    out = pl.read_csv(tmp_path / "out.csv")
    assert out.select("text", "label").rows() == [("hello you", "ok"), ("fresh", None)]


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ("hello", TypeError, "A record is a mapping such as"),
        ({}, ValueError, "A record is empty"),
        ({"item_id": 3}, ValueError, "a column 'item_id'"),
        ({"text": "a", "x": object()}, TypeError, "The column 'x' holds a object"),
        ({"text": "a", "n": 2**70}, ValueError, "beyond 64 bits"),
    ],
)
def test_a_record_that_cannot_be_kept_is_refused_with_all_beside_it(local, record, error, message):
    stream = stream_of(local)
    with pytest.raises(error, match=message):
        stream.offer_many([{"text": "fine"}, record])
    assert local.items().height == 0
    assert stream.offer({"text": "fine"}).position == 0


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


def test_errors_that_rise_are_found_where_they_began():
    rng = np.random.default_rng(0)
    wrong = np.concatenate([rng.random(100) < 0.1, rng.random(60) < 0.7])
    found = ErrorRise().look([], wrong.tolist())
    assert abs(found.start - 100) < 10
    assert found.before < 0.2 < 0.6 < found.after
    assert ErrorRise().look([], wrong[::-1].tolist()) is None


def test_even_errors_raise_no_alarm_over_many_looks():
    alarms = 0
    for seed in range(20):
        wrong = np.random.default_rng(seed).random(300) < 0.3
        alarms += any(ErrorRise().look([], wrong[:n].tolist()) for n in range(30, 300, 3))
    assert alarms <= 1


def test_confidences_of_one_kind_raise_no_alarm():
    rng = np.random.default_rng(0)
    alarms = [KolmogorovSmirnov().look(rng.beta(5, 2, 200).tolist(), rng.beta(5, 2, 200).tolist()) for _ in range(100)]
    assert alarms == [None] * 100


def test_refits_come_at_growing_gaps():
    answers, refits = 0, 0
    while answers < 10_000:
        answers += Refits().gap(answers)
        refits += 1
    assert refits < 700
