from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, ks_2samp

from labeling import ADWIN, DDM, KSWIN, ChiSquare, ErrorRise, KolmogorovSmirnov, PageHinkley
from labeling.loops.drift.detectors import Trail
from labeling.loops.drift.features import feature_change


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


@pytest.fixture
def even():
    return np.random.default_rng(5).random(200).tolist()


ON_ERROR = [ErrorRise(), ADWIN(), PageHinkley(), DDM(), KSWIN(), ChiSquare(on="error")]
ON_NUMBERS = [KolmogorovSmirnov(), ADWIN(on="confidence"), PageHinkley(on="confidence"), KSWIN(on="confidence")]
on_error = pytest.mark.parametrize("detector", ON_ERROR, ids=lambda detector: type(detector).__name__)
on_numbers = pytest.mark.parametrize("detector", ON_NUMBERS, ids=lambda detector: type(detector).__name__)


def latest(detector, values):
    """What the detector says first, looking at every 20th value."""
    for n in range(20, len(values) + 1, 20):
        found = detector.look(values[:200], values[:n][-2 * detector.memory :])
        if found is not None:
            return found
    return None


@on_error
def test_a_detector_finds_errors_that_rise(detector):
    rng = np.random.default_rng(1)
    wrong = [*(rng.random(300) < 0.15).astype(float), *(rng.random(200) < 0.75).astype(float)]
    found = latest(detector, wrong)
    assert found.after > found.before + 0.15
    assert found.before < 0.25


@on_error
def test_a_detector_takes_fewer_errors_for_no_drift(detector):
    rng = np.random.default_rng(1)
    assert latest(detector, [*(rng.random(300) < 0.75).astype(float), *(rng.random(200) < 0.1).astype(float)]) is None


@on_error
def test_a_detector_is_silent_about_even_errors(detector):
    wrong = (np.random.default_rng(2).random(500) < 0.2).astype(float).tolist()
    assert latest(detector, wrong) is None


@on_numbers
def test_a_detector_finds_numbers_that_fall(detector, even):
    found = latest(detector, even + [x / 4 for x in even])
    assert found.after < found.before - 0.1


@on_numbers
def test_a_detector_is_silent_about_even_numbers(detector, even):
    assert latest(detector, even + even[::-1]) is None


@on_numbers
def test_a_level_is_split_over_the_columns(detector):
    rng = np.random.default_rng(3)
    weak = [*rng.normal(size=200), *rng.normal(0.5, size=200)]
    assert detector.look(weak[:200], weak[-detector.memory :], tests=10**9) is None


def test_the_windows_are_tested_as_scipy_does():
    rng = np.random.default_rng(0)
    first, last = rng.normal(size=200).tolist(), rng.normal(0.6, size=200).tolist()
    assert KolmogorovSmirnov(level=0.9).look(first, last, 3).p == pytest.approx(
        3 * ks_2samp(first, last, method="asymp").pvalue
    )
    a, b = rng.choice(list("xyz"), 200).tolist(), rng.choice(list("xyz"), 200, p=[0.7, 0.2, 0.1]).tolist()
    table = [[each.count(value) for value in "xyz"] for each in (a, b)]
    assert ChiSquare(level=0.9).look(a, b).p == pytest.approx(chi2_contingency(table).pvalue)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DDM(on="confidence"),
        lambda: ErrorRise(on="features"),
        lambda: ChiSquare(on="confidence"),
        lambda: KolmogorovSmirnov(on="error"),
        lambda: KolmogorovSmirnov(window=10),
        lambda: ChiSquare(level=0),
        lambda: ADWIN(delta=2),
        lambda: PageHinkley(threshold=0),
        lambda: KSWIN(newest=100),
        lambda: DDM(deviations=0),
        lambda: ErrorRise(alarm=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(make):
    with pytest.raises(ValueError, match="got"):
        make()


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(1, 7), st.integers(0, 30))
def test_a_trail_is_the_same_however_the_stream_is_cut(cuts, memory, start):
    whole = list(range(sum(cuts)))
    piecewise, place = Trail(start, start, memory=memory), 0
    for cut in cuts:
        piecewise = piecewise.after(whole[place : place + cut])
        place += cut
    assert piecewise == Trail(start, start, memory=memory).after(whole)
    assert list(piecewise.recent) == whole[piecewise.begin - start :]
    assert min(memory, len(whole)) <= len(piecewise.recent) <= 2 * memory


def test_the_reference_stays_that_of_the_beginning():
    trail = Trail(memory=50).after(list(range(1000)))
    assert trail.reference == tuple(range(200))
    assert trail.restarted() == Trail(1000, 1000, memory=50)


NAMES = ["ann", "bo", "cy"]


def records(n, seed, price=0.0, names=NAMES, words="the bread and music of the morning", drift=0.0):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        text = " ".join(rng.choice(words.split(), 4)) + f" {rng.integers(30)}"
        vector = rng.normal(drift, size=3).tolist()
        made.append({"price": float(rng.normal(price)), "who": str(rng.choice(names)), "text": text, "vector": vector})
    return made


def change_of(detector, last, memory=200):
    trail = Trail(memory=max(memory, detector.memory)).after(records(200, 1)).after(last)
    return feature_change(detector, trail)


@pytest.mark.parametrize(
    ("detector", "last", "column"),
    [
        (KolmogorovSmirnov(on="features"), {"price": 2.0}, "price"),
        (ChiSquare(), {"names": ["ann", "dora"]}, "who"),
        (ChiSquare(), {"words": "el pan y la flor de cada mañana"}, "text"),
        (KolmogorovSmirnov(on="features"), {"drift": 2.0}, "vector, direction"),
        (ADWIN(on="features"), {"price": 2.0}, "price"),
        (ADWIN(on="features"), {"words": "el pan y la flor de cada mañana"}, "text"),
        (ADWIN(on="features"), {"names": ["dora"]}, "who"),
        (PageHinkley(on="features"), {"price": 3.0}, "price"),
    ],
)
def test_a_column_that_changes_is_named(detector, last, column):
    rows = records(200, 2) + records(200, 3, **last)
    assert change_of(detector, rows).column.startswith(column)


@pytest.mark.parametrize("detector", [KolmogorovSmirnov(on="features"), ChiSquare(), ADWIN(on="features")])
def test_records_of_one_kind_raise_no_alarm(detector):
    assert [change_of(detector, records(400, seed)) for seed in range(10, 16)] == [None] * 6


def test_many_columns_raise_no_more_alarms_than_one():
    rng = np.random.default_rng(0)
    detector = KolmogorovSmirnov(on="features", level=0.05)
    alarms = 0
    for _ in range(40):
        rows = [{f"x{c}": float(x) for c, x in enumerate(row)} for row in rng.normal(size=(400, 20))]
        alarms += feature_change(detector, Trail().after(rows)) is not None
    assert alarms <= 6


def test_numbers_that_go_missing_are_noticed():
    rows = [{**row, "price": None if place % 2 else row["price"]} for place, row in enumerate(records(200, 4))]
    assert change_of(ChiSquare(), rows).column == "price is there"
    assert change_of(KolmogorovSmirnov(on="features"), [{**row, "price": None} for row in rows]) is None


def test_dates_and_pictures_are_not_looked_at():
    rows = [{"day": date(2026, 1, 1 + n // 20), "picture": bytes([n % 7])} for n in range(400)]
    assert all(
        feature_change(d, Trail(memory=d.memory).after(rows)) is None
        for d in (ChiSquare(), KolmogorovSmirnov(on="features"), ADWIN(on="features"))
    )
