import dataclasses
import functools
import inspect
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from scipy import special, stats
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_selection import SelectKBest, chi2, mutual_info_classif
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import all_estimators

from labeling import LabelBudget, MajorityVote, SklearnClassifier, Tuned
from labeling.serialization.settings import UnknownClass, describe, dump, load, same
from strategies import Entropy, Margin
from tests.strategies.pools import full_pool
from tests.strategies.test_contract import STRATEGIES

NAN = float("nan")

PLAIN = [
    float("inf"),
    -float("inf"),
    (1, (2.5, "a")),
    [1, [2], ()],
    range(2, 9, 3),
    slice(None, 4),
    {"a": [1], "class": "not a class"},
    {0: 1, 1: 5},
    {(1, 2): None, None: "x", 2.5: True},
    {1, 2},
    frozenset({"a"}),
    b"\x00\xff",
    1 + 2j,
    date(2024, 2, 29),
    datetime(2024, 2, 29, 12, 30, 5, 7),  # noqa: DTZ001
    datetime(2024, 2, 29, tzinfo=UTC),
    time(12, 30),
    timedelta(days=1, microseconds=3),
    Decimal("0.10"),
    UUID(int=7),
    Path("a/b"),
    np.float32,
    float,
    np.dtype("float32"),
    np.log1p,
    special.expit,
    chi2,
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda each: getattr(each, "__name__", repr(each)))
def test_what_json_does_not_know_comes_back_with_its_type(value):
    loaded = load(through_json(value))
    assert loaded == value
    assert type(loaded) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        np.int64(3),
        np.float32(0.1),
        np.bool_(True),
        np.datetime64("2024-01-01"),
        np.timedelta64(3, "h"),
        np.array([[0.5, np.nan], [np.inf, 0.0]]),
        np.array(["a", "bc"]),
        np.zeros((0, 3), dtype=np.int8),
    ],
    ids=repr,
)
def test_arrays_and_scalars_of_numpy_keep_type_shape_and_values(value):
    loaded = load(through_json(value))
    assert (type(loaded), loaded.dtype, loaded.shape) == (type(value), value.dtype, value.shape)
    np.testing.assert_array_equal(loaded, value)


def through_json(value):
    return json.loads(json.dumps(dump(value), allow_nan=False))


ESTIMATORS = {
    "imputer": lambda: make_pipeline(SimpleImputer(), LogisticRegression(class_weight={0: 1, 1: 5}, C=np.inf)),
    "function": lambda: make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()),
    "type": lambda: make_pipeline(OneHotEncoder(dtype=np.float32), LogisticRegression()),
    "columns": lambda: ColumnTransformer([("numbers", StandardScaler(), slice(0, 2)), ("rest", "drop", [2, 3])]),
    "voting": lambda: VotingClassifier([("a", LogisticRegression()), ("b", "drop")], weights=[0.5, 1]),
    "stacking": lambda: StackingClassifier([("a", LogisticRegression())], cv=StratifiedKFold(3, shuffle=True)),
    "search": lambda: GridSearchCV(LogisticRegression(), {"C": np.logspace(-1, 1, 3)}, cv=RepeatedStratifiedKFold()),
    "partial": lambda: SelectKBest(functools.partial(mutual_info_classif, n_neighbors=2), k=1),
    "kernel": lambda: Tuned(SklearnClassifier(LogisticRegression()), values=(1.0, 2)),
    "sum": lambda: 2.0 * RBF() + WhiteKernel(),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_estimators_come_back_with_all_their_parameters(name):
    spec = through_json(ESTIMATORS[name]())
    loaded = load(spec)
    assert repr(loaded) == repr(ESTIMATORS[name]())
    assert dump(loaded) == spec == through_json(ESTIMATORS[name]())
    assert same(dump(ESTIMATORS[name]()), spec)
    assert describe(spec)


def test_a_distribution_to_draw_from_comes_back():
    spec = through_json(GridSearchCV(LogisticRegression(), {"C": stats.loguniform(0.1, b=10.0)}))
    drawn = load(spec).param_grid["C"]
    assert drawn.ppf(0.5) == pytest.approx(1.0)
    assert dump(drawn) == dump(stats.loguniform(0.1, b=10.0))
    assert "loguniform(0.1, b=10.0)" in describe(spec)


def test_a_description_of_an_estimator_leaves_out_what_is_usual():
    text = describe(dump(ESTIMATORS["imputer"]()))
    assert "LogisticRegression(C=inf, class_weight={0: 1, 1: 5})" in text
    assert "SimpleImputer," not in text
    assert describe(dump((NAN, np.int64(3), (1, 2), range(3), date(2024, 1, 2), np.log1p))) == (
        "[nan, 3, [1, 2], range(0, 3), 2024-01-02, log1p]"
    )


@pytest.mark.parametrize(
    ("params", "hint"),
    [
        (
            {"random_state": np.random.RandomState(0)},
            r"classifier\.estimator\.random_state = Rand.* whole number",
        ),
        ({"class_weight": {0: object()}}, r"classifier\.estimator\.class_weight\[0\] = <object.* cannot be stored"),
        ({"C": iter([1])}, r"classifier\.estimator\.C = <list_iterator.* cannot be stored"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_parameter(params, hint):
    with pytest.raises(TypeError, match=hint):
        dump(SklearnClassifier(LogisticRegression(**params)), "classifier")


def test_a_scorer_that_cannot_be_stored_names_what_would_work():
    search = GridSearchCV(LogisticRegression(), {"C": [1]}, scoring=make_scorer(f1_score))
    with pytest.raises(TypeError, match=r"scoring = make_scorer.*name of a score, as 'f1_macro'"):
        dump(search)


def own_function(x):
    return x


def test_a_function_of_ones_own_is_named_and_must_be_passed_again():
    spec = through_json(FunctionTransformer(own_function))
    assert same(spec, dump(FunctionTransformer(own_function)))
    with pytest.raises(UnknownClass, match=r"own_function is not part of .*Pass the object again"):
        load(spec)


EARLIER = [
    (dump(GridSearchCV(LogisticRegression(), {"C": [1, 2]})), True),
    (dump(GridSearchCV(LogisticRegression(), {"C": [1, 3]})), False),
]


@pytest.mark.parametrize(("given", "same_setting"), EARLIER, ids=["the same", "another value"])
def test_rows_of_earlier_versions_open_and_equal_what_they_were_made_with(given, same_setting):
    """They kept lists as tuples, keys as texts and NaN as a token."""
    params = LogisticRegression().get_params(deep=False)
    stored = {
        "class": "sklearn.GridSearchCV",
        "params": GridSearchCV(None, None).get_params(deep=False)
        | {
            "estimator": {"class": "sklearn.LogisticRegression", "params": params},
            "param_grid": {"mapping": {"C": [1, 2]}},
        },
    }
    assert isinstance(load(json.loads(json.dumps(stored))), GridSearchCV)
    assert same(given, json.loads(json.dumps(stored))) is same_setting
    assert same(dump({0: 1, 1: NAN}), json.loads('{"mapping": {"0": 1, "1": NaN}}'))
    assert same(dump([(1, 1)]), [[1, 1]])


def test_a_parameter_that_is_missing_in_a_stored_row_is_its_default():
    assert same(dump(LabelBudget(3)), {"class": "labeling.LabelBudget", "params": {"labels": 3}})
    assert same(dump(MajorityVote(threshold=0.3)), {"class": "labeling.MajorityVote", "params": {"threshold": 0.3}})
    assert not same(dump(MajorityVote(threshold=0.3)), {"class": "labeling.MajorityVote", "params": {}})


def test_a_setting_of_a_later_version_is_refused_in_words():
    with pytest.raises(ValueError, match=r"does not take.*Pass the object again"):
        load({"class": "labeling.LabelBudget", "params": {"labels": 3, "hours": 2}})
    with pytest.raises(ValueError, match="kind that this version does not know"):
        load({"quaternion": [1, 2, 3, 4]})


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "a", Entropy(), LabelBudget(7), 0.7 * Entropy() + 0.3 * Margin(), MajorityVote(threshold=0.3)],
    ids=repr,
)
def test_what_is_stored_comes_back_equal(value):
    assert load(dump(value)) == value


def test_a_classifier_of_scikit_learn_comes_back_with_its_parameters():
    loaded = load(dump(LogisticRegression(C=0.25)))
    assert isinstance(loaded, LogisticRegression)
    assert loaded.C == 0.25


@pytest.mark.parametrize(
    "name", ["os.system", "subprocess.Popen", "strategies.base", "labeling.Project.open", "sklearn.os", "sklearn.a.b"]
)
def test_a_name_in_a_database_never_decides_what_is_imported(name):
    with pytest.raises(UnknownClass, match="Pass the object again"):
        load({"class": name, "params": {}})


@pytest.mark.parametrize(
    "spec",
    [
        {"function": "os.system"},
        {"function": "numpy.load"},
        {"function": "numpy.fromfile"},
        {"function": "sklearn.datasets.fetch_openml"},
        {"function": "sklearn.metrics._base.os"},
        {"type": "subprocess.Popen"},
        {"type": "builtins.exec"},
        {"distribution": "distributions", "args": [], "keywords": {"mapping": {}}},
    ],
    ids=str,
)
def test_no_other_function_or_type_is_looked_up(spec):
    with pytest.raises(UnknownClass, match="Pass the object again"):
        load(spec)


def test_a_description_names_what_differs_from_the_defaults():
    assert describe(dump(MajorityVote())) == "MajorityVote"
    assert describe(dump(MajorityVote(threshold=0.3))) == "MajorityVote(threshold=0.3)"
    assert describe(dump([LabelBudget(5)])) == "[LabelBudget(labels=5)]"


# Those that are made of others get the simplest there is.
INNER = {"estimator": LogisticRegression(), "estimators": [("a", LogisticRegression())], "param_grid": {"C": [1]}}
INNER |= {
    "param_distributions": {"C": [1]},
    "transformers": [("a", "drop", [0])],
    "steps": [("a", LogisticRegression())],
}
INNER |= {
    "transformer_list": [("a", StandardScaler())],
    "base_estimator": LogisticRegression(),
    "dictionary": np.eye(2),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "kind"), all_estimators(), ids=lambda each: each if isinstance(each, str) else "")
def test_every_estimator_of_scikit_learn_comes_back_as_it_was_made(name, kind):
    needed = [key for key, each in inspect.signature(kind).parameters.items() if each.default is each.empty]
    made = kind(**{key: INNER[key] for key in needed if key in INNER})
    spec = through_json(made)
    assert type(load(spec)) is kind
    assert same(dump(load(spec)), spec)
    assert same(dump(clone(made)), spec)


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_numbers_of_numpy_in_a_strategy_are_those_of_python(strategy):
    numbers = {each.name: getattr(strategy, each.name) for each in dataclasses.fields(strategy) if each.init}
    changed = {key: np.int64(number) for key, number in numbers.items() if type(number) is int}
    changed |= {key: np.float64(number) for key, number in numbers.items() if type(number) is float}
    other = dataclasses.replace(strategy, **changed)
    assert same(through_json(other), dump(strategy))
    pool, loaded = full_pool(), load(through_json(other))
    picked, wanted = (each.choose(pool, 3, np.random.default_rng(0)) for each in (loaded, strategy))
    assert [pick.index for pick in picked] == [pick.index for pick in wanted]
