from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from labeling import SklearnClassifier, TableClassifier, TextClassifier, simulate
from strategies import Auto, Badge, Bandit, Entropy, KCenter, Margin, MCDropout, OutlierGuard, Random, Region, Strategy


def numbers(n=120):
    """Two classes that a line separates, and a column of noise."""
    rng = np.random.default_rng(5)
    x, noise = rng.normal(size=n), rng.normal(size=n)
    return pl.DataFrame({"x": x, "noise": noise, "label": ["yes" if value > 0 else "no" for value in x]})


def posts(n=90):
    words = {"ok": "good morning tea", "bad": "you idiot", "spam": "buy cheap pills"}
    names = [list(words)[i % 3] for i in range(n)]
    return pl.DataFrame({"text": [f"{words[name]} {i % 7}" for i, name in enumerate(names)], "label": names})


def run(frame, strategies, **settings):
    settings = {"start": 5, "batch_size": 5, "rounds": 3, "seeds": [0]} | settings
    return simulate(frame, gold="label", strategies=strategies, **settings)


def test_a_run_has_a_row_a_round_with_rising_labels():
    runs = run(numbers(), {"random": Random()}, seeds=[0, 3]).frame()
    assert runs.select("seed", "round", "labels").rows() == [
        (seed, round_, 5 + 5 * round_) for seed in (0, 3) for round_ in range(4)
    ]
    assert runs["accuracy"].is_between(0, 1).all()
    assert runs["calibration_error"].is_between(0, 1).all()


def test_the_same_seeds_give_the_same_curves():
    first, second = (run(numbers(), {"a": Auto(), "b": Badge()}).frame().drop("seconds") for _ in range(2))
    assert first.equals(second)
    other = run(numbers(), {"a": Auto(), "b": Badge()}, seeds=[1]).frame().drop("seconds", "seed")
    assert not first.drop("seed").equals(other)


def test_all_strategies_of_a_seed_start_alike():
    runs = run(numbers(), {"a": Margin(), "b": KCenter(), "c": Random()}, seeds=[0, 1]).frame()
    starts = runs.filter(pl.col("round") == 0).group_by("seed").agg(pl.col("accuracy", "calibration_error").n_unique())
    assert starts["accuracy"].to_list() == [1, 1]
    assert starts["calibration_error"].to_list() == [1, 1]


def test_without_a_start_the_strategy_asks_first():
    runs = run(posts(), {"auto": Auto()}, start=0, text="text").frame()
    assert runs["labels"].to_list() == [5, 10, 15]


def test_a_run_ends_when_the_pool_is_empty():
    runs = run(numbers(30), {"random": Random()}, rounds=50, batch_size=10).frame()
    assert runs["labels"].to_list() == [5, 15, 21]


SEEN = []


@dataclass(frozen=True)
class Watching(Strategy):
    """Asks the lowest rows, and keeps what it was shown."""

    def score(self, pool, rng=None):
        SEEN.append((pool.key.copy(), pool.labels.copy(), list(pool.rewards), pool.classes))
        return np.linspace(1.0, 0.0, len(pool))


def test_a_strategy_sees_the_pool_the_labels_and_what_became_of_its_picks():
    SEEN.clear()
    frame = numbers(40)
    run(frame, {"w": Watching()}, holdout=0.25, rounds=2)
    (keys, labels, rewards, classes), (later_keys, later_labels, later_rewards, _) = SEEN
    assert (len(keys), len(labels), rewards, classes) == (25, 5, [], 2)
    assert set(keys[:5]) == set(keys) - set(later_keys)
    assert len(later_labels) == 10
    truth = [["no", "yes"].index(label) for label in frame["label"]]
    assert [outcome.label for outcome in later_rewards] == [truth[key] for key in keys[:5]]
    assert {outcome.strategy for outcome in later_rewards} == {"Watching"}
    assert all(sum(outcome.proba) == pytest.approx(1.0) for outcome in later_rewards)
    assert len({outcome.gain for outcome in later_rewards}) == 1


LEARNED = []


@dataclass(frozen=True)
class Noting(TextClassifier):
    """Keeps which rows it learned words from."""

    def learn_features(self, frame, *, text=None, learn_from=None):
        LEARNED.append(learn_from.copy())
        return super().learn_features(frame, text=text, learn_from=learn_from)


def test_features_are_learned_once_a_seed_without_what_is_held_out():
    LEARNED.clear()
    run(posts(), {"a": Entropy(), "b": Random()}, classifier=Noting(), text="text", seeds=[0, 1])
    assert [int(rows.sum()) for rows in LEARNED] == [63, 63]
    assert (LEARNED[0] != LEARNED[1]).any()


def test_labels_ids_and_groups_are_not_learned_from():
    frame = numbers().with_columns(id=pl.int_range(120), author=pl.Series([f"a{i % 9}" for i in range(120)]))
    plain = run(numbers(), {"m": Margin()}).frame().drop("seconds")
    assert run(frame, {"m": Margin()}).frame().drop("seconds").equals(plain)


def test_a_column_of_truth_values_is_a_region():
    frame = numbers().with_columns(wanted=pl.col("noise") > 0)
    assert run(frame, {"r": Region("wanted", Margin())}).frame().height == 4
    with pytest.raises(ValueError, match=r"Unknown region 'x' \(known: wanted\)"):
        run(frame, {"r": Region("x")})


def test_mc_dropout_brings_a_network_for_all_and_refuses_what_has_no_dropout():
    runs = run(numbers(60), {"mc": MCDropout("bald", samples=3), "r": Random()}, rounds=1).frame()
    assert runs.height == 4
    with pytest.raises(ValueError, match="TableClassifier has none"):
        run(numbers(), {"mc": MCDropout()}, classifier=TableClassifier())


@pytest.mark.parametrize("strategy", [Bandit([Margin(), Random()]), OutlierGuard(Margin())], ids=["bandit", "guard"])
def test_strategies_of_strategies_run(strategy):
    assert run(posts(), {"s": strategy}, text="text").frame()["labels"].to_list() == [5, 10, 15, 20]


def test_an_estimator_of_scikit_learn_runs():
    from sklearn.naive_bayes import GaussianNB

    runs = run(numbers(), {"r": Random()}, classifier=SklearnClassifier(GaussianNB()))
    assert runs.frame()["accuracy"][-1] > 0.7


def test_threads_give_the_same_curves():
    strategies = {"a": Auto(), "r": Random()}
    here = run(numbers(), strategies, seeds=[0, 1]).frame().drop("seconds")
    assert run(numbers(), strategies, seeds=[0, 1], executor="threads").frame().drop("seconds").equals(here)


def test_progress_counts_the_runs():
    told = []
    run(
        numbers(), {"a": Margin(), "r": Random()}, seeds=[0, 1], progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_rows_without_gold_are_left_out():
    frame = pl.concat([numbers(), numbers(30).with_columns(label=pl.lit(None, pl.String))])
    plain = run(numbers(), {"m": Margin()}).frame().drop("seconds")
    assert run(frame, {"m": Margin()}).frame().drop("seconds").equals(plain)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strategies": {}}, "names and strategies"),
        ({"gold": "lable"}, "no column 'lable'"),
        ({"labels": ["yes", "maybe"]}, "'no', which is none of"),
        ({"holdout": 1.0}, "between 0 and 1, got 1.0"),
        ({"start": 200}, "start=200 labels are more than the 84 items"),
        ({"seeds": []}, "names no seed"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"start": 0, "rounds": 0}, "nothing to learn from"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, words):
    given = {"gold": "label", "strategies": {"r": Random()}, "start": 5, "rounds": 1} | settings
    with pytest.raises(ValueError, match=words):
        simulate(numbers(), **given)


def test_a_class_in_place_of_a_strategy_is_refused():
    with pytest.raises(TypeError, match=r"strategies\['m'\] must be an object such as Margin\(\)"):
        run(numbers(), {"m": Margin})


def test_numbers_of_numpy_do_for_sizes_and_seeds():
    frame = pl.DataFrame({"x": [n % 10 for n in range(60)], "y": ["low" if n % 10 < 5 else "high" for n in range(60)]})
    sizes = {"start": np.int64(4), "batch_size": np.int32(4), "rounds": np.uint8(1), "holdout": np.float64(0.3)}
    curves = simulate(frame, gold="y", strategies={"random": Random()}, seeds=np.arange(2), **sizes)
    assert curves.frame()["seed"].to_list() == [0, 0, 1, 1]
    one = simulate(frame, gold="y", strategies={"random": Random()}, seeds=np.int64(1), **sizes)
    assert one.frame()["seed"].to_list() == [1, 1]
