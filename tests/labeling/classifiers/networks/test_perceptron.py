import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

pytest.importorskip("torch")

from labeling.classifiers.networks.perceptron import NetworkClassifier, NetworkModel

FAST = NetworkClassifier(hidden=(32,), epochs=60)


def blobs(n=150, k=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, size=n)
    return (rng.normal(size=(n, 5)) + 3 * np.eye(5)[y]).astype(np.float32), y


def test_it_learns_and_its_rows_sum_to_one():
    X, y = blobs()
    proba = FAST.fit(X, np.eye(3)[y]).predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba.argmax(axis=1) == y).mean() > 0.9


@pytest.mark.parametrize("hidden", [(16,), (16, 8)])
def test_sparse_features_give_the_same_network_as_dense_ones(hidden):
    X, y = blobs(60)
    X[X < 1] = 0
    network = NetworkClassifier(hidden=hidden, epochs=5, learning_rate=0.01, noise=0.0)
    dense = network.fit(X, np.eye(3)[y], seed=3).predict_proba(X)
    sparse = network.fit(csr_matrix(X), np.eye(3)[y], seed=3).predict_proba(csr_matrix(X))
    np.testing.assert_allclose(sparse, dense, atol=1e-4)


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone():
    import torch

    X, y = blobs(40)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first, again = (FAST.fit(X, np.eye(3)[y], seed=5).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert torch.equal(before, torch.random.get_rng_state())


def test_rows_without_weight_teach_nothing():
    X, y = blobs(60)
    wrong = np.eye(3)[(y + 1) % 3]
    targets = np.vstack([np.eye(3)[y], wrong])
    model = FAST.fit(np.vstack([X, X]), targets, np.repeat([1.0, 0.0], 60))
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.9


def test_soft_targets_are_what_it_learns():
    X = np.zeros((90, 2), dtype=np.float32)
    proba = NetworkClassifier(epochs=300).fit(X, np.tile([0.7, 0.3], (90, 1))).predict_proba(X[:1])
    np.testing.assert_allclose(proba, [[0.7, 0.3]], atol=0.05)


@pytest.mark.parametrize("hidden", [(16,), (16, 8)])
def test_passes_differ_by_sample_not_by_seed_and_average_to_the_prediction(hidden):
    X, y = blobs()
    model = NetworkClassifier(hidden=hidden, epochs=40).fit(X, np.eye(3)[y])
    passes = model.mc_proba(X, samples=200, seed=1)
    assert passes.shape == (200, 150, 3)
    np.testing.assert_allclose(passes.sum(axis=2), 1, atol=1e-5)
    np.testing.assert_array_equal(passes, model.mc_proba(X, samples=200, seed=1))
    assert passes.std(axis=0).max() > 0.01
    assert (passes.mean(axis=0).argmax(axis=1) == model.predict_proba(X).argmax(axis=1)).mean() > 0.95


def test_a_pass_is_the_network_with_units_left_out():
    rng = np.random.default_rng(0)
    W1, b1, W2, b2 = rng.normal(size=(4, 6)), rng.normal(size=6), rng.normal(size=(6, 3)), rng.normal(size=3)
    model = NetworkModel(((W1.astype(np.float32), b1), (W2.astype(np.float32), b2)), dropout=0.5)
    X = rng.normal(size=(7, 4)).astype(np.float32)
    keep = (np.random.default_rng(9).random((3, 6)) < 0.5) / 0.5
    for each, passed in zip(keep, model.mc_proba(X, samples=3, seed=9), strict=True):
        logits = (np.maximum(X @ W1 + b1, 0) * each) @ W2 + b2
        expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        np.testing.assert_allclose(passed, expected, atol=1e-5)


def test_without_dropout_every_pass_is_the_prediction():
    X, y = blobs(30)
    model = NetworkClassifier(dropout=0.0, epochs=5).fit(X, np.eye(3)[y])
    for passed in model.mc_proba(X, samples=3):
        np.testing.assert_allclose(passed, model.predict_proba(X), atol=1e-5)


def test_no_features_and_one_class_are_defined():
    X = csr_matrix(np.zeros((4, 0), dtype=np.float32))
    proba = FAST.fit(X, np.tile([0.0, 1.0], (4, 1))).predict_proba(X)
    assert proba.shape == (4, 2)
    assert np.isfinite(proba).all()
    assert FAST.fit(X, np.tile([0.0, 1.0], (4, 1))).predict_proba(X[:0]).shape == (0, 2)


def test_text_goes_in_as_words():
    frame = pl.DataFrame({"text": ["good day", "bad day", "good food", "bad food"] * 10})
    X = FAST.featurize(frame, text="text")
    y = np.tile([0, 1], 20)
    assert (FAST.fit(X, np.eye(2)[y]).predict_proba(X).argmax(axis=1) == y).all()


@pytest.mark.parametrize(
    ("settings", "message"), [({"hidden": ()}, "hidden"), ({"dropout": 1.0}, r"\[0, 1\)"), ({"noise": -1.0}, "noise")]
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NetworkClassifier(**settings)


def test_a_warm_start_goes_on_from_the_network_it_is_given():
    X, y = blobs(60)
    first = NetworkClassifier(hidden=(16,)).fit(X, np.eye(3)[y], seed=1)
    one_epoch = NetworkClassifier(hidden=(16,), epochs=1)
    warm = one_epoch.fit(X, np.eye(3)[y], seed=2, start=first)
    cold = one_epoch.fit(X, np.eye(3)[y], seed=2)
    away = [np.abs(model.predict_proba(X) - first.predict_proba(X)).mean() for model in (warm, cold)]
    assert away[0] < away[1] / 4
    assert not np.array_equal(warm.layers[0][0], first.layers[0][0])


def test_a_warm_start_keeps_what_was_learned_of_features_that_are_absent_now():
    X, y = blobs(60)
    first = FAST.fit(X, np.eye(3)[y])
    without = X.copy()
    without[:, 0] = 0
    again = FAST.fit(without, np.eye(3)[y], start=first)
    np.testing.assert_array_equal(again.layers[0][0][0], first.layers[0][0][0])


def test_a_start_of_another_shape_is_a_cold_start():
    X, y = blobs(60)
    other = FAST.fit(X[:, :4], np.eye(3)[y])
    cold = FAST.fit(X, np.eye(3)[y], seed=4)
    np.testing.assert_array_equal(
        FAST.fit(X, np.eye(3)[y], seed=4, start=other).predict_proba(X), cold.predict_proba(X)
    )


def test_a_network_survives_as_bytes():
    X, y = blobs(60)
    model = NetworkClassifier(hidden=(8, 4), epochs=3, dropout=0.2).fit(X, np.eye(3)[y])
    again = NetworkModel.load(model.dump())
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(again.mc_proba(X, 4, seed=1), model.mc_proba(X, 4, seed=1))


@pytest.mark.parametrize("seed", range(8))
def test_no_row_is_lost_to_the_search_for_epochs(seed):
    X, y = blobs(60, k=2)
    X, y = np.vstack([X, [[0, 0, 0, 0, 9]]]).astype(np.float32), np.append(y, 2)
    model = NetworkClassifier().fit(X, np.eye(3)[y], seed=seed)
    assert model.predict_proba(X[-1:]).argmax() == 2


def test_labels_that_are_chance_are_not_learned_by_heart():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 20)).astype(np.float32), rng.integers(0, 2, size=200)
    proba = NetworkClassifier().fit(X, np.eye(2)[y]).predict_proba(X)
    assert proba.max(axis=1).mean() < 0.8
