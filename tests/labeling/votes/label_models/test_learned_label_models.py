"""Label models that learn from votes: contracts that all keep, and what sets each apart."""

import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from labeling.votes.label_models import LABEL_MODELS, DawidSkene, MajorityVote, Robust, SnorkelLabelModel, WeightedVote
from labeling.votes.matrix import LabelMatrix
from labeling.votes.patterns import Patterns

LABELS = ("a", "b", "c")
MODELS = [
    MajorityVote(),
    MajorityVote(ties="prior"),
    Robust(),
    DawidSkene(),
    DawidSkene(abstain="missing"),
    DawidSkene(abstain="informative"),
    WeightedVote(),
    SnorkelLabelModel(epochs=20),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=repr)


def crowd(seed=0, n=400, accuracies=(0.95, 0.9, 0.6, 0.5, 0.4), silent=0.2, k=2):
    """Votes of independent people of known accuracy, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    columns = []
    for accuracy in accuracies:
        wrong = (truth + rng.integers(1, k, n)) % k if k > 2 else 1 - truth
        votes = np.where(rng.random(n) < accuracy, truth, wrong)
        columns.append(np.where(rng.random(n) < silent, -1, votes))
    return np.column_stack(columns), truth


def accuracy(model, matrix, truth):
    predicted = model.fit(matrix).predict(matrix)
    return (predicted == truth).mean()


@every_model
def test_soft_labels_sum_to_one_and_silent_items_stay_open(model):
    votes, truth = crowd()
    votes[:3] = -1
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"], gold=truth)
    weak = model.fit(matrix).label(matrix)
    assert np.allclose(weak.proba.sum(axis=1), 1)
    assert np.allclose(weak.proba[:3], 0.5)
    assert weak.positions[:3].tolist() == [-1, -1, -1]
    assert weak.weight[:3].tolist() == [0, 0, 0]


@every_model
def test_the_order_of_the_items_never_matters(model):
    votes, truth = crowd(n=60)
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"], gold=truth)
    rows = np.random.default_rng(1).permutation(len(votes))
    straight = model.fit(matrix).predict_proba(matrix)
    shuffled = model.fit(matrix.take(rows)).predict_proba(matrix.take(rows))
    assert np.array_equal(straight[rows], shuffled)


@every_model
def test_batches_that_are_joined_give_the_same_model(model):
    votes, truth = crowd(n=60)
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"], gold=truth)
    joined = Patterns.concat([matrix.block(0, 25).patterns, matrix.block(25, 60).patterns])
    assert np.array_equal(model.fit_patterns(joined).predict_proba(matrix), model.fit(matrix).predict_proba(matrix))


@every_model
def test_a_model_fitted_on_some_items_labels_others(model):
    votes, truth = crowd()
    fit = LabelMatrix.from_votes(votes[:300], ["no", "yes"], gold=truth[:300])
    rest = LabelMatrix.from_votes(votes[300:], ["no", "yes"])
    assert (model.fit(fit).predict(rest) == truth[300:]).mean() > 0.6


@every_model
def test_fitting_leaves_the_model_as_it_was(model):
    votes, truth = crowd(n=60)
    fitted = model.fit(LabelMatrix.from_votes(votes, ["no", "yes"], gold=truth))
    assert model.fitted is None
    assert fitted == model
    assert LABEL_MODELS[type(model).__name__](**model.parameters) == model


@every_model
def test_what_is_left_open_goes_to_the_class_that_was_named(model):
    votes, truth = crowd(n=60)
    votes[0] = -1
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"], gold=truth)
    named = type(model)(**{**model.parameters, "otherwise": "yes"}).fit(matrix).label(matrix)
    assert named.positions[0] == 1
    assert named.proba[0].tolist() == [0.25, 0.75]


@pytest.mark.parametrize("model", [Robust(), DawidSkene(), WeightedVote()], ids=repr)
@settings(deadline=None)
@given(
    votes=hnp.arrays(np.int8, st.tuples(st.integers(1, 10), st.integers(1, 5)), elements=st.integers(-1, 2)),
    data=st.data(),
)
def test_any_votes_give_finite_probabilities(model, votes, data):
    gold = data.draw(hnp.arrays(np.int64, len(votes), elements=st.integers(-1, 2)))
    gold[0] = 0
    matrix = LabelMatrix.from_votes(votes, LABELS, gold=gold)
    proba = model.fit(matrix).predict_proba(matrix)
    assert np.isfinite(proba).all()
    assert np.allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize("model", [Robust(), DawidSkene()], ids=repr)
def test_independent_people_are_weighed_by_how_good_they_are(model):
    votes, truth = crowd()
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"])
    fitted = model.fit(matrix)
    assert accuracy(model, matrix, truth) > accuracy(MajorityVote(ties="random"), matrix, truth) + 0.05
    assert set(np.argsort(fitted.fitted.accuracy)[-2:]) == {0, 1}


@pytest.mark.parametrize("model", [Robust(), DawidSkene()], ids=repr)
def test_several_classes_are_told_apart(model):
    votes, truth = crowd(k=3, accuracies=(0.9, 0.8, 0.5, 0.5, 0.4))
    matrix = LabelMatrix.from_votes(votes, LABELS)
    assert accuracy(model, matrix, truth) > accuracy(MajorityVote(ties="random"), matrix, truth)


def test_rules_for_one_class_each_are_not_taken_for_constants():
    rng = np.random.default_rng(0)
    truth = (rng.random(2000) < 0.3).astype(int)
    votes = np.full((2000, 8), -1)
    for j in range(8):
        label, right = j % 2, (0.95, 0.6)[j // 4]
        fires = rng.random(2000) < np.where(truth == label, 0.5 * right, 0.5 * (1 - right))
        votes[fires, j] = label
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"])
    voted = matrix.votes_per_item > 0
    majority = MajorityVote(ties="random").predict(matrix)
    robust = Robust().fit(matrix).predict(matrix)
    assert (robust == truth)[voted].mean() >= (majority == truth)[voted].mean()


def test_sources_that_repeat_one_another_are_not_trusted_like_independent_ones():
    votes, _ = crowd(accuracies=(0.8,) * 6, silent=0.0)
    independent = Robust().fit(LabelMatrix.from_votes(votes, ["no", "yes"]))
    copied = np.column_stack([votes[:, :2], votes[:, 0], votes[:, 0], votes[:, 1], votes[:, 1]])
    dependent = Robust().fit(LabelMatrix.from_votes(copied, ["no", "yes"]))
    assert independent.fitted.arrays["trust"] > 0.5
    assert dependent.fitted.arrays["trust"] < 0.1


def test_robust_returns_to_majority_vote_where_nothing_can_be_learned_and_says_so():
    matrix = LabelMatrix.from_votes([[0, -1], [-1, 1]], ["no", "yes"])
    fitted = Robust().fit(matrix)
    assert "no item has two votes" in fitted.notes[0]
    assert fitted.predict(matrix).tolist() == [0, 1]


def test_robust_returns_to_majority_vote_where_a_class_would_be_lost(monkeypatch):
    from labeling.votes.label_models import robust

    votes, _ = crowd()
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"])
    one_class = np.tile([0.99, 0.01], (len(matrix.patterns), 1))
    rare = LabelMatrix.from_votes([[0, 0]] * 9 + [[1, 1]], ["no", "yes"]).patterns
    assert "lost a class" in robust.degenerate(rare, one_class[: len(rare)])
    turned = 1 - MajorityVote().predict_proba(matrix)[np.unique(matrix.patterns.inverse, return_index=True)[1]]
    assert "contradicts most of the clear majorities" in robust.degenerate(matrix.patterns, turned)
    assert "finite" in robust.degenerate(matrix.patterns, one_class * np.nan)
    monkeypatch.setattr(robust, "degenerate", lambda patterns, posterior: "a reason")
    fitted = Robust().fit(matrix)
    assert fitted.notes == ("Robust returned to majority vote: a reason.",)
    assert np.array_equal(fitted.predict_proba(matrix), MajorityVote().predict_proba(matrix))


@pytest.mark.parametrize("model", [Robust(), DawidSkene()], ids=repr)
def test_gold_on_some_items_improves_what_is_believed_of_the_sources(model):
    votes, truth = crowd(accuracies=(0.9, 0.35, 0.35, 0.35), silent=0.0, n=600)
    gold = np.where(np.arange(600) < 200, truth, -1)
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"])
    without, informed = model.fit(matrix), model.fit(matrix.with_gold(gold))
    rest = slice(200, None)
    assert (informed.predict(matrix) == truth)[rest].mean() > (without.predict(matrix) == truth)[rest].mean() + 0.05
    assert informed.fitted.accuracy[0] > without.fitted.accuracy[0]


def test_weighted_vote_counts_sources_by_their_accuracy_on_gold():
    #        right  wrong  wrong
    votes = [[0, 1, 1], [1, 0, 0]] * 20
    matrix = LabelMatrix.from_votes(votes, ["no", "yes"], gold=[0, 1] * 20)
    fitted = WeightedVote(strength=2).fit(matrix)
    assert fitted.predict(matrix)[:2].tolist() == [0, 1]
    # 40 of 40 right, shrunk towards (40 + 1) / (120 + 2) with two votes
    assert fitted.fitted.accuracy[0] == pytest.approx((40 + 2 * 41 / 122) / 42)
    assert fitted.fitted.arrays["weight"][1] == 0


def test_weighted_vote_without_gold_says_what_to_do():
    with pytest.raises(ValueError, match=r"no item has any. Give gold=, or use Robust\(\)"):
        WeightedVote().fit(LabelMatrix.from_votes([[0, 1]], LABELS))


def test_snorkel_gives_the_random_state_back():
    import torch

    votes, _ = crowd(n=50)
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    expected = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002
    random.seed(1)
    np.random.seed(2)  # noqa: NPY002
    torch.manual_seed(3)
    SnorkelLabelModel(epochs=5).fit(LabelMatrix.from_votes(votes, ["no", "yes"]))
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == expected  # noqa: NPY002


def test_snorkel_answers_as_snorkel_does():
    from snorkel.labeling.model import LabelModel

    votes, _ = crowd()
    patterns = LabelMatrix.from_votes(votes, ["no", "yes"]).patterns
    theirs = LabelModel(cardinality=2, verbose=False)
    theirs.fit(np.repeat(patterns.values, patterns.counts.astype(int), axis=0), n_epochs=50, seed=4, progress_bar=False)
    ours = SnorkelLabelModel(epochs=50, seed=4).fit_patterns(patterns)
    matrix = LabelMatrix.from_votes(votes[:50], ["no", "yes"])
    assert np.allclose(ours.predict_proba(matrix), theirs.predict_proba(votes[:50]))


def test_snorkels_failures_are_explained():
    with pytest.raises(ValueError, match="needs at least 3 labeling functions, got 2"):
        SnorkelLabelModel().fit(LabelMatrix.from_votes([[0, 1]], ["no", "yes"]))
    votes, _ = crowd(n=50)
    with pytest.raises(ValueError, match=r"(?i)snorkel's LabelModel .*use Robust\(\)"):
        SnorkelLabelModel(learning_rate=1e30).fit(LabelMatrix.from_votes(votes, ["no", "yes"]))


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        (DawidSkene, {"abstain": "never"}, "abstain is auto, missing or informative"),
        (DawidSkene, {"strength": 0}, "strength is above 0"),
    ],
)
def test_wrong_parameters_are_refused(model, parameters, message):
    with pytest.raises(ValueError, match=message):
        model(**parameters)


@pytest.mark.parametrize("model", [Robust(), DawidSkene(), SnorkelLabelModel()], ids=repr)
def test_an_unfitted_model_says_so(model):
    with pytest.raises(ValueError, match=r"is not fitted. Call \w+\(\).fit\(matrix\) first"):
        model.predict(LabelMatrix.from_votes([[0, 1, 1]], ["no", "yes"]))


def test_votes_of_nobody_cannot_be_fitted():
    with pytest.raises(ValueError, match="needs votes of at least one source"):
        Robust().fit(LabelMatrix.from_votes(np.empty((3, 0), int), LABELS))


@pytest.mark.parametrize("name", ["youtube", "tubespam", "spouse"])
def test_robust_is_no_worse_than_majority_vote_on_real_rules(name, shared_data):
    splits = {"youtube": ("train", "test"), "tubespam": ("train", "test"), "spouse": ("train", "dev")}[name]
    train, test = (pl.read_parquet(shared_data / f"weak/{name}/{split}.parquet") for split in splits)
    fit, score = (LabelMatrix.from_votes(np.array(f["votes"].to_list()), ["no", "yes"]) for f in (train, test))
    gold = test["gold"].to_numpy()

    def expected(model):
        proba = model.fit(fit).predict_proba(score)
        top = proba >= proba.max(axis=1, keepdims=True) - 1e-9
        return (top[np.arange(len(gold)), gold] / top.sum(axis=1)).mean()

    assert expected(Robust()) >= expected(MajorityVote()) - 0.005
