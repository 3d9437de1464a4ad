"""A classifier that cannot be trained stops no loop, and says what it lacks."""

import warnings

import numpy as np
import polars as pl
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from labeling import Calibrated, MajorityVote, Project, SklearnClassifier, keyword, simulate
from labeling.classifiers.calibration import out_of_fold
from labeling.classifiers.sklearn import committee
from labeling.classifiers.trainable import CannotTrain, TrainingWarning, seeded
from strategies import Bandit, LeastConfidence, Margin, Random, VariableUncertainty

TEXTS = [f"{'alpha' if n % 2 else 'beta'} {'gamma' if n % 3 else 'delta'} {n}" for n in range(60)]

HUNGRY = {
    "neighbours": (KNeighborsClassifier(10), "looks at 10 neighbours and has 4 labels: at least 6 more labels are"),
    "calibrated": (CalibratedClassifierCV(LinearSVC(), cv=5), "needs 5 labels of each class, and has 2 of the rarest"),
    "search": (GridSearchCV(LogisticRegression(), {"C": [1, 2]}, error_score="raise"), "needs 5 labels of each class"),
    "folds": (LogisticRegressionCV(cv=StratifiedKFold(3), use_legacy_attributes=True), "at least 1 more label is"),
    "inside": (make_pipeline(StandardScaler(with_mean=False), KNeighborsClassifier(7)), "at least 3 more labels are"),
}


def truth(query):
    return "yes" if "alpha" in query.item["text"] else "no"


def answered(loop, rounds):
    for _ in range(rounds):
        for query in loop.ask("ann"):
            loop.tell(query, truth(query))
        with warnings.catch_warnings():
            # What scikit-learn says of its own settings and of few labels.
            warnings.filterwarnings("ignore", module="sklearn")
            loop.refit()
    return loop.history()


@pytest.fixture
def project(sqlite_url):
    project = Project.create("p", labels=["no", "yes"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": TEXTS}))
    return project


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", HUNGRY)
def test_an_estimator_that_needs_more_says_how_many_are_missing_and_learns_when_it_can(project, name):
    estimator, hint = HUNGRY[name]
    loop = project.pool_loop("l", strategy=Random(), classifier=SklearnClassifier(estimator), batch_size=4, seed=4)
    history = answered(loop, 6)
    (note,) = history["notes"][0]
    assert hint in note
    assert note.startswith("No model yet, questions are chosen without one.")
    assert history["labels"].to_list() == [4, 8, 12, 16, 20, 24]
    assert history["notes"][-1].to_list() == []
    assert loop.ask("ann")[0].probabilities


def test_while_there_is_no_model_the_rules_choose_what_to_ask(project):
    project.add_functions([keyword("a", ["alpha"], label="yes"), keyword("g", ["gamma"], label="no")])
    project.weak_label(MajorityVote())
    classifier = SklearnClassifier(KNeighborsClassifier(500))
    loop = project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=4, seed=1)
    answered(loop, 2)
    assert {query.item["text"].split()[0] + query.item["text"].split()[1] for query in loop.ask("ann")} <= {
        "alphagamma",
        "betadelta",
    }


class Broken(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        raise KeyError("a fault of its own")

    def predict_proba(self, X):
        return np.ones((X.shape[0], 2))


class Nonsense(Broken):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((X.shape[0], 2), np.nan)


@pytest.mark.parametrize(
    ("estimator", "hint"),
    [
        (Broken(), r"Broken could not be trained on \d labels. KeyError: 'a fault of its own'"),
        (Nonsense(), r"Nonsense could not be trained on \d labels. ValueError: Its predict_proba gives"),
        (GaussianNB(), r"GaussianNB takes no sparse features. Make the classifier as SklearnClassifier.*dense=True"),
    ],
    ids=["raises", "no numbers", "dense"],
)
def test_a_fault_of_an_estimator_is_warned_of_each_time_and_kept_in_history(project, estimator, hint):
    loop = project.pool_loop("l", strategy=Margin(), classifier=SklearnClassifier(estimator), batch_size=4, seed=1)
    for _ in range(2):
        for query in loop.ask("ann"):
            loop.tell(query, truth(query))
        with pytest.warns(TrainingWarning, match=hint):
            refit = loop.refit()
    assert not refit.metrics["trained"]
    assert loop.history()["labels"].to_list() == [4, 8]
    assert all("questions are chosen without one" in notes[0] for notes in loop.history()["notes"])


def test_what_fails_only_on_items_without_a_label_stops_no_loop(sqlite_url):
    project = Project.create("far", labels=["no", "yes"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"x": [n * 1.0 for n in range(40)]}))
    classifier = SklearnClassifier(RadiusNeighborsClassifier(radius=0.01))
    loop = project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=4, seed=1)
    for query in loop.ask("ann"):
        loop.tell(query, "yes" if query.item["x"] > 20 else "no")
    with pytest.warns(TrainingWarning, match="No neighbors found for test samples"):
        refit = loop.refit()
    assert not refit.metrics["trained"]
    assert len(loop.ask("bob")) == 4


def test_a_vectorizer_inside_is_named_as_what_to_leave_out():
    piped = SklearnClassifier(make_pipeline(TfidfVectorizer(), LogisticRegression()))
    with pytest.raises(CannotTrain, match=r"holds a TfidfVectorizer, which reads texts.*Leave the TfidfVectorizer out"):
        piped.fit(np.eye(4), np.eye(2)[[0, 1, 0, 1]])


def test_a_stacking_that_gets_its_final_estimator_in_training_is_taken():
    X, targets = np.arange(40.0)[:, None], np.eye(2)[np.arange(40) % 2]
    stacked = StackingClassifier([("a", LogisticRegression())], cv=2)
    for estimator in (stacked, make_pipeline(StandardScaler(), stacked)):
        assert SklearnClassifier(estimator).fit(X, targets).predict_proba(X).shape == (40, 2)


def test_a_missing_package_is_no_lack_of_labels(project):
    class Absent(Broken):
        def fit(self, X, y):
            raise ModuleNotFoundError("No module named 'xgboost'")

    loop = project.pool_loop("l", strategy=Margin(), classifier=SklearnClassifier(Absent()), batch_size=4, seed=1)
    for query in loop.ask("ann"):
        loop.tell(query, truth(query))
    with pytest.raises(ModuleNotFoundError, match="xgboost"):
        loop.refit()


def test_a_committee_leaves_out_members_whose_sample_is_too_small():
    X, targets = np.arange(8.0)[:, None], np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1]]
    calibrated = SklearnClassifier(CalibratedClassifierCV(GaussianNB(), cv=2))
    assert 0 < len(committee(calibrated, X, targets, None, members=40)) < 40


def test_folds_that_are_too_small_say_nothing():
    X, targets = np.arange(8.0)[:, None], np.eye(2)[[0, 0, 0, 0, 1, 1, 1, 1]]
    assert (out_of_fold(SklearnClassifier(KNeighborsClassifier(7)), X, targets, folds=2) == 0.5).all()
    hungry = Calibrated(SklearnClassifier(KNeighborsClassifier(7)), at_least=4)
    assert hungry.fit(X, targets).predict_proba(X).shape == (8, 2)


def test_a_bandit_over_errors_goes_on_without_a_model(project):
    strategy = Bandit([Margin(), Random()])
    classifier = SklearnClassifier(KNeighborsClassifier(9))
    loop = project.pool_loop("l", strategy=strategy, classifier=classifier, batch_size=4, seed=1)
    assert answered(loop, 4)["labels"].to_list() == [4, 8, 12, 16]


@pytest.mark.parametrize("executor", [None, "threads"])
def test_a_pool_scored_in_slices_goes_on_too(project, executor):
    classifier = SklearnClassifier(KNeighborsClassifier(5))
    loop = project.pool_loop("l", strategy=Margin(), classifier=classifier, batch_size=4, seed=1, executor=executor)
    assert [len(notes) for notes in answered(loop, 3)["notes"]] == [1, 0, 0]


def test_a_stream_goes_on_and_says_what_is_missing(project):
    classifier = SklearnClassifier(KNeighborsClassifier(5))
    stream = project.stream_loop(
        "s", strategy=LeastConfidence(), budget=VariableUncertainty(0.9), classifier=classifier, seed=1
    )
    for text in TEXTS[:20]:
        decision = stream.offer({"text": text})
        if decision.asked:
            stream.tell(decision.query, "yes" if "alpha" in text else "no", annotator="ann")
    notes = stream.history()["notes"].list.join(" ").to_list()
    assert "looks at 5 neighbours and has 4 labels: at least 1 more label is missing" in " ".join(notes)
    assert "learned from" in notes[-2]


def test_a_simulation_that_never_learns_says_why():
    frame = pl.DataFrame({"text": TEXTS, "y": ["yes" if "alpha" in text else "no" for text in TEXTS]})
    settings = {"gold": "y", "strategies": {"random": Random()}, "start": 4, "batch_size": 4, "rounds": 2, "seeds": [0]}
    with pytest.raises(CannotTrain, match=r"'random' learned nothing in 2 rounds.*looks at 30 neighbours"):
        simulate(frame, classifier=SklearnClassifier(KNeighborsClassifier(30)), **settings)
    curves = simulate(frame, classifier=SklearnClassifier(KNeighborsClassifier(7)), **settings)
    assert curves.frame()["labels"].to_list() == [8, 12]


def test_a_seed_reaches_every_random_state_that_was_left_open():
    folds = StratifiedKFold(2, shuffle=True)
    voting = VotingClassifier(
        [
            ("open", RandomForestClassifier()),
            ("like it", RandomForestClassifier()),
            ("set", RandomForestClassifier(random_state=3)),
            ("piped", make_pipeline(StandardScaler(), BaggingClassifier(SGDClassifier()))),
            ("search", GridSearchCV(SGDClassifier(), {"alpha": [1]}, cv=folds)),
        ]
    )
    first, again, other = (seeded(voting.__sklearn_clone__(), seed) for seed in (2**40, 2**40, 5))
    states = [
        {key: value for key, value in each.get_params().items() if key.endswith("random_state")}
        for each in (first, again, other)
    ]
    assert len(states[0]) == 6
    assert None not in states[0].values()
    assert states[0] == states[1] != states[2]
    assert states[0]["set__random_state"] == 3
    assert states[0]["open__random_state"] != states[0]["like it__random_state"]
    assert first.get_params()["search__cv"].random_state is not None
    assert folds.random_state is None


def test_the_same_seed_trains_the_same_pipeline():
    X, targets = np.random.default_rng(0).normal(size=(40, 5)), np.eye(2)[np.arange(40) % 2]
    piped = SklearnClassifier(make_pipeline(StandardScaler(), RandomForestClassifier(5)))
    one, same, other = (piped.fit(X, targets, seed=seed).predict_proba(X) for seed in (2**33, 2**33, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
