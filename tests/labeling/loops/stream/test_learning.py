import logging

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import Perceptron, SGDClassifier
from sklearn.naive_bayes import BernoulliNB, GaussianNB
from sklearn.svm import LinearSVC

from labeling import (
    MajorityVote,
    Online,
    Project,
    Refits,
    SklearnClassifier,
    TextClassifier,
    keyword,
    labeling_function,
)
from labeling.loops.stream.learning import says
from labeling.loops.stream.online import begin_online
from strategies import (
    Entropy,
    FixedBudget,
    FixedThreshold,
)
from tests.labeling.stream_loops import KIND, LABELS, RUDE, again, asked_first, plain, posts, run, stream_of, turned


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.fixture
def local(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


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


def test_what_a_pool_loop_learned_from_is_known_from_the_start(project):
    rows = posts(40)
    project.add_items(pl.DataFrame(rows, schema=["text", "label"], orient="row"), gold="label")
    truth = dict(project.labels("gold").select("item_id", "label").iter_rows())
    loop = project.pool_loop("pool", strategy=Entropy(), batch_size=20)
    for query in loop.ask("ann"):
        loop.tell(query, truth[query.item_id])
    decision = stream_of(project).offer({"text": "the idiot of day1"})
    assert decision.predicted == "offensive"


def test_a_class_added_later_can_be_told_and_predicted(project):
    stream = stream_of(project, FixedThreshold(0.0))
    run(stream, posts(6))
    project.add_label("spam")
    for _ in range(4):
        stream.tell(asked_first(stream, "buy now cheap").query, "spam", annotator="ann")
    assert stream.offer({"text": "buy now cheap"}).predicted == "spam"
    assert plain([again(project).offer({"text": "x"})])[0].round > 0


def test_memory_bounds_what_is_learned_from(local):
    stream = stream_of(local, FixedThreshold(0.0), memory=10)
    run(stream, posts(30))
    assert stream._consumer.learned.answers == 10


def test_refits_come_at_growing_gaps():
    answers, refits = 0, 0
    while answers < 10_000:
        answers += Refits().gap(answers)
        refits += 1
    assert refits < 700


ONLINE = [SGDClassifier(loss="log_loss"), BernoulliNB(), Perceptron()]
online = pytest.mark.parametrize("estimator", ONLINE, ids=lambda estimator: type(estimator).__name__)


@online
def test_online_learning_learns(local, estimator):
    stream = stream_of(local, FixedBudget(0.6), classifier=SklearnClassifier(estimator), learning=Online())
    decisions = run(stream, posts(150))
    late = [(d.predicted, label) for d, (_, label) in zip(decisions, posts(150), strict=True)][90:]
    assert sum(p == t for p, t in late) / len(late) > 0.8


@online
def test_an_online_model_is_the_same_after_a_kill(local, tmp_path, estimator):
    settings = {"classifier": SklearnClassifier(estimator), "learning": Online(replay=8)}
    whole = run(stream_of(local, FixedBudget(0.6), **settings), posts(60))
    other = Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'other.db'}")
    pieces = run(stream_of(other, FixedBudget(0.6), **settings), posts(60), reopen=lambda: again(other))
    assert plain(pieces) == plain(whole)


def test_what_an_online_consumer_goes_through_again_is_bounded(local):
    settings = {"classifier": SklearnClassifier(BernoulliNB()), "learning": Online(replay=10)}
    stream = stream_of(local, FixedThreshold(0.0), **settings)
    for text, label in posts(80):
        stream.tell(stream.offer({"text": text}).query, label, annotator="ann")
        assert len(stream._consumer.learned.given) <= 20
    stream.offer({"text": "x"})
    assert 10 <= len(stream._consumer.learned.given) <= 20


def test_an_answer_taken_back_is_unlearned_online(local):
    settings = {"classifier": SklearnClassifier(BernoulliNB()), "learning": Online()}
    stream = stream_of(local, FixedThreshold(0.0), **settings)
    run(stream, posts(10))
    before = stream.offer({"text": "the idiot"}).confidence
    stream.tell(stream.query(stream.offer({"text": "the idiot"}).item_id), "ok", annotator="ann")
    assert stream.offer({"text": "the idiot"}).confidence != before
    stream.undo("ann")
    assert stream.offer({"text": "the idiot"}).confidence == before


@pytest.mark.parametrize("classifier", [None, TextClassifier(), SklearnClassifier(LinearSVC())])
def test_online_learning_needs_partial_fit(local, classifier):
    with pytest.raises(TypeError, match="partial_fit"):
        stream_of(local, classifier=classifier, learning=Online())


def test_an_online_model_gives_classes_not_seen_a_chance():
    model = begin_online(SklearnClassifier(GaussianNB()), 3).after(np.eye(4)[:2], np.array([1, 1]))
    assert model.predict_proba(np.eye(4)) == pytest.approx(np.tile([0.2, 0.6, 0.2], (4, 1)))
    more = model.after(np.array([[0.0, 3.0, 0.0, 1.0], [0.1, 2.0, 0.2, 1.1]]), np.array([2, 2]))
    proba = more.predict_proba(np.eye(4))
    assert np.isfinite(proba).all()
    assert proba.sum(axis=1) == pytest.approx(np.ones(4))
    assert proba[:, 0] == pytest.approx(np.full(4, 1 / 7))
    assert model.counts.tolist() == [0, 2, 0]


def test_the_blend_follows_the_memory_that_is_right(local):
    rng = np.random.default_rng(0)
    stream = stream_of(local, FixedThreshold(0.0), drift=[], learning=Refits(half_lives=(3.0,)))
    for n in range(120):
        # What tells the classes apart turns every 20 records: old answers are wrong.
        side = float(rng.integers(2))
        label = LABELS[int(side) ^ (n // 20 % 2)]
        stream.tell(stream.offer({"x": 2.0 * side - 1.0 + rng.normal(0, 0.1)}).query, label, annotator="ann")
    stream.offer({"x": 1.0})
    short, long = says(stream._consumer.learned.losses)
    assert short > 0.7 > 0.3 > long


def test_short_memories_forget_and_the_long_one_does_not(local):
    stream = stream_of(local, FixedThreshold(0.0), drift=[], learning=Refits(half_lives=(2.0,)))
    run(stream, posts(60) + turned(posts(14, start=60)))
    frame = pl.DataFrame({"text": ["the idiot clown moron fool"]})
    stream.offer({"text": "x"})
    place = LABELS.index("offensive")
    short, long = stream._consumer.learned.apart(frame)[:, 0, place]
    assert short < 0.5 < long


def test_a_refit_every_so_many_answers(local):
    stream = stream_of(local, FixedThreshold(0.0), learning=Refits(every=10))
    run(stream, posts(45))
    assert stream.history().filter(pl.col("event") == "refit").height == 4


@pytest.mark.parametrize("make", [lambda: Refits(half_lives=(0.0,)), lambda: Refits(every=0), lambda: Online(replay=0)])
def test_learning_out_of_range_is_refused(make):
    with pytest.raises(ValueError, match="got"):
        make()


def test_learning_is_stored_and_checked(local):
    stream_of(local, learning=Refits(half_lives=(5, 50)))
    assert again(local)._settings.learning == Refits(half_lives=(5.0, 50.0))
    with pytest.raises(ValueError, match=r"was made with learning = Refits\(half_lives"):
        again(local, learning=Refits())


def test_before_the_first_answer_rules_predict(project):
    project.add_items(pl.DataFrame({"text": ["hello"]}))
    project.add_functions([keyword("rude", RUDE, "offensive"), keyword("kind", KIND, "ok")])
    stream = stream_of(project, FixedThreshold(0.9))
    decisions = [stream.offer({"text": text}) for text in ("the idiot", "a flower", "neither")]
    assert [d.predicted for d in decisions] == ["offensive", "ok", None]
    assert [d.asked for d in decisions] == [False, False, True]
    stream.tell(decisions[2].query, "ok", annotator="ann")
    assert stream.offer({"text": "the idiot"}).round == 1


def test_rules_are_combined_as_the_newest_weak_run_does(local):
    local.add_items(pl.DataFrame({"text": ["the idiot", "the flower", "nothing"]}))
    local.add_functions([keyword("rude", RUDE, "offensive")])
    stream = stream_of(local)
    assert stream.offer({"text": "the flower"}).predicted is None
    local.weak_label(MajorityVote(threshold=0.5, otherwise="ok"))
    assert again(local).offer({"text": "the flower"}).predicted == "ok"


def test_a_rule_whose_code_is_not_here_is_left_out_and_said(local, caplog):
    @labeling_function(labels=["ok"])
    def short(row):
        return "ok" if len(row["text"]) < 100 else None

    local.add_items(pl.DataFrame({"text": ["hello"]}))
    local.add_functions([keyword("rude", RUDE, "offensive"), short])
    assert stream_of(local).offer({"text": "hello"}).predicted == "ok"
    with caplog.at_level(logging.WARNING, logger="labeling.stream"):
        decisions = again(local).offer_many([{"text": "the idiot"}, {"text": "hello"}])
    assert [d.predicted for d in decisions] == ["offensive", None]
    assert "left out: short" in caplog.text


@pytest.mark.parametrize("online", [False, True])
def test_people_who_are_merged_have_one_say_in_a_stream_that_is_open(local, online):
    settings = {}
    if online:
        settings = {
            "learning": Online(replay=50),
            "classifier": SklearnClassifier(SGDClassifier(loss="log_loss", random_state=0)),
        }
    stream = stream_of(local, FixedBudget(1.0), **settings)
    for text, label in posts(6):
        query = stream.offer({"text": text}).query
        # One of the names is always wrong.
        stream.tell(query, "ok" if label == "offensive" else "offensive", annotator="Ann")
        stream.tell(query, label, annotator="ann")
    record = {"text": "the moron of music"}
    stream.offer(record)
    before = stream._consumer.learned
    local.merge_people("Ann", "ann")
    told, fresh = stream.offer(record), again(local)
    now = fresh.offer(record)
    assert (told.predicted, told.confidence) == (now.predicted, now.confidence)
    learned = stream._consumer.learned
    assert (len(before.given), len(learned.given)) == (12, 6)
    assert learned.given == fresh._consumer.learned.given
    local.unmerge_people("Ann")
    stream.offer(record)
    assert len(stream._consumer.learned.given) == 12
