import polars as pl
import pytest

from labeling import ADWIN, DDM, KSWIN, ChiSquare, PageHinkley, Project
from strategies import (
    FixedBudget,
    VariableUncertainty,
)
from tests.labeling.stream_loops import LABELS, again, drifts, plain, posts, run, stream_of, turned


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


@pytest.fixture
def local(sqlite_url):
    return Project.create("p", LABELS, storage=sqlite_url)


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


CHOSEN = {
    "adwin": ADWIN(delta=0.05),
    "page": PageHinkley(threshold=8.0),
    "ddm": DDM(),
    "kswin": KSWIN(level=1e-3, window=60, newest=20),
    "chi": ChiSquare(on="error", window=20, level=1e-3),
}


@pytest.mark.parametrize("detector", CHOSEN.values(), ids=CHOSEN.keys())
def test_a_chosen_detector_sees_labels_turn_and_raises_the_share(local, detector):
    stream = stream_of(local, FixedBudget(0.6), drift=[detector], boost=1.5, boost_records=50)
    run(stream, posts(120))
    assert drifts(stream) == []
    decisions = run(stream, turned(posts(80, start=120)))
    (at, note), *_ = drifts(stream)
    assert 120 < at < 200
    assert "the model was wrong on" in note
    assert decisions[at - 120].boost == 1.5
    assert decisions[at - 121].boost == 1.0


@pytest.mark.parametrize("detector", [ChiSquare(), ADWIN(on="features"), KSWIN(on="confidence")])
def test_a_killed_consumer_looks_for_drift_where_it_was(local, tmp_path, detector):
    other = Project.create("p", LABELS, storage=f"sqlite:///{tmp_path / 'other.db'}")
    ends = []
    for project, reopens in ((local, False), (other, True)):
        stream = stream_of(project, drift=[detector])
        run(stream, posts(30))
        for batch in (posts(170, 30), posts(230, 200), [(f"otro idioma del dia{n}", "") for n in range(270)]):
            stream = again(project) if reopens else stream
            stream.offer_many([{"text": text} for text, _ in batch])
        ends.append((drifts(stream), plain([stream.offer({"text": "the flower"})])))
    assert ends[0] == ends[1]
    assert ends[0][0] != []


def test_records_of_another_kind_are_noticed_before_anybody_answers(project):
    stream = stream_of(project, drift=ChiSquare())
    stream.offer_many([{"text": text} for text, _ in posts(450)])
    assert drifts(stream) == []
    stream.offer_many([{"text": f"otro idioma {n}"} for n in range(250)])
    (at, note), *_ = drifts(stream)
    assert 450 < at <= 700
    assert "drift: text: '" in note
    assert "chi-square, p = " in note


def test_nothing_is_looked_for_where_nothing_was_chosen(local):
    stream = stream_of(local, FixedBudget(0.6), drift=[])
    run(stream, posts(100) + turned(posts(100, start=100)))
    assert drifts(stream) == []
    assert again(local)._settings.drift == ()


def test_detectors_are_stored_and_checked(local):
    chosen = [ADWIN(on="confidence", delta=0.01), ChiSquare(window=100)]
    stream_of(local, drift=chosen)
    assert again(local)._settings.drift == tuple(chosen)
    with pytest.raises(ValueError, match=r"was made with drift = \[ADWIN\(on='confidence', delta=0.01\)"):
        again(local, drift=[DDM()])
    with pytest.raises(TypeError, match="drift= takes detectors such as"):
        stream_of(local, name="other", drift=["adwin"])


def test_after_a_drift_answers_from_before_are_forgotten(local):
    stream = stream_of(local, FixedBudget(0.6))
    run(stream, posts(200) + turned(posts(80, start=200)))
    ((at, _),) = drifts(stream)
    assert stream._consumer.learned.answers < 80
    assert 200 < at < 260


def test_what_detectors_remember_is_bounded(local):
    stream = stream_of(local, drift=[ChiSquare(), ADWIN(on="confidence")])
    run(stream, posts(20))
    stream.offer_many([{"text": text} for text, _ in posts(2500, start=20)])
    frontier = stream._consumer.frontier
    assert len(frontier.records.recent) <= 400
    assert len(frontier.confidences.recent) <= 2000
    assert len(frontier.records.reference) == len(frontier.confidences.reference) == 200
