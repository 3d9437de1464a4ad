import io

import numpy as np
import polars as pl
import pytest
from PIL import Image

pytest.importorskip("torch")

from labeling import serialization
from labeling.classifiers.networks.convolution import PictureClassifier, PictureModel

FAST = PictureClassifier(filters=(4, 8), hidden=16, epochs=30)


def bars(n=60, seed=0, side=8):
    """Pixels with a bright bar that lies (class 0) or stands (class 1), anywhere."""
    rng = np.random.default_rng(seed)
    pixels = rng.uniform(0, 0.2, size=(n, side, side)).astype(np.float32)
    y = np.arange(n) % 2
    for each, label in zip(pixels, y, strict=True):
        place = rng.integers(0, side)
        each[(place, slice(None)) if label == 0 else (slice(None), place)] = 1.0
    return pixels.reshape(n, -1), y


def png(pixels):
    content = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(content, "PNG")
    return content.getvalue()


@pytest.fixture(scope="module")
def learned():
    X, y = bars()
    return FAST.fit(X, np.eye(2)[y], seed=1)


def test_it_learns_shapes_wherever_they_lie(learned):
    X, y = bars(100, seed=9)
    proba = learned.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert (proba.argmax(axis=1) == y).mean() > 0.9


def test_the_same_seed_gives_the_same_network_and_leaves_torch_alone():
    import torch

    X, y = bars(20)
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first, again = (FAST.fit(X, np.eye(2)[y], seed=5) for _ in range(2))
    for one, other in zip(first.arrays, again.arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(before, torch.random.get_rng_state())
    assert not np.array_equal(first.arrays[0], FAST.fit(X, np.eye(2)[y], seed=6).arrays[0])


def test_passes_leave_out_units_and_average_to_the_prediction(learned):
    X, _ = bars()
    passes = learned.mc_proba(X, samples=200, seed=1)
    assert passes.shape == (200, 60, 2)
    np.testing.assert_array_equal(passes, learned.mc_proba(X, samples=200, seed=1))
    assert passes.std(axis=0).max() > 0.001
    np.testing.assert_allclose(passes.mean(axis=0), learned.predict_proba(X), atol=0.1)


def test_the_convolutions_are_computed_once_for_all_passes(learned, monkeypatch):
    X, _ = bars(10)
    computed = []
    convolved = PictureModel._convolved
    monkeypatch.setattr(PictureModel, "_convolved", lambda self, X: computed.append(len(X)) or convolved(self, X))
    learned.mc_proba(X, samples=20)
    assert computed == [10]


def test_its_predictions_are_those_of_torch_layers(learned):
    import torch
    from torch import nn

    X, _ = bars(7)
    a = [torch.as_tensor(each) for each in learned.arrays]
    layers = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(1),
    )  # fmt: skip
    for place, layer in ((0, 0), (2, 3), (4, 7), (6, 9)):
        weight = a[place] if place < 4 else a[place].T
        layers[layer].weight.data, layers[layer].bias.data = weight, a[place + 1]
    with torch.no_grad():
        expected = layers(torch.as_tensor(X).reshape(7, 1, 8, 8)).numpy()
    np.testing.assert_allclose(learned.predict_proba(X), expected, atol=1e-5)


def test_rows_without_weight_teach_nothing():
    X, y = bars(40)
    both, targets = np.vstack([X, X]), np.vstack([np.eye(2)[y], np.eye(2)[1 - y]])
    model = FAST.fit(both, targets, np.repeat([1.0, 0.0], 40))
    assert (model.predict_proba(X).argmax(axis=1) == y).mean() > 0.9


def test_soft_targets_are_what_it_learns():
    X = np.full((60, 16), 0.5, dtype=np.float32)
    proba = FAST.fit(X, np.tile([0.7, 0.3], (60, 1))).predict_proba(X[:1])
    np.testing.assert_allclose(proba, [[0.7, 0.3]], atol=0.06)


def test_balanced_classes_raise_what_is_rare():
    X = np.full((60, 16), 0.5, dtype=np.float32)
    targets = np.eye(2)[(np.arange(60) < 6).astype(int)]
    plain, balanced = (
        PictureClassifier(filters=(4, 8), hidden=16, epochs=30, class_weight=each).fit(X, targets).predict_proba(X[:1])
        for each in (None, "balanced")
    )
    assert plain[0, 1] < 0.25
    assert 0.35 < balanced[0, 1] < 0.65


def test_one_class_and_no_rows_to_predict_are_defined():
    X, _ = bars(6)
    model = FAST.fit(X, np.tile([0.0, 1.0], (6, 1)))
    assert np.isfinite(model.predict_proba(X)).all()
    assert model.predict_proba(X[:0]).shape == (0, 2)
    assert model.mc_proba(X[:0], samples=3).shape == (3, 0, 2)


def test_it_survives_as_bytes_and_starts_warm(learned):
    X, y = bars()
    again = PictureModel.load(learned.dump())
    np.testing.assert_array_equal(again.mc_proba(X, 3, seed=2), learned.mc_proba(X, 3, seed=2))
    short = PictureClassifier(filters=(4, 8), hidden=16, epochs=1)
    warm, cold = (short.fit(X, np.eye(2)[y], start=start) for start in (again, None))
    away = [np.abs(model.predict_proba(X) - learned.predict_proba(X)).mean() for model in (warm, cold)]
    assert away[0] < away[1] / 2


def test_colours_tell_what_grey_does_not():
    rng = np.random.default_rng(0)
    reds, greens = np.zeros((20, 6, 6, 3)), np.zeros((20, 6, 6, 3))
    # Of the same brightness: .299 * 200 = .587 * 102.
    reds[..., 0], greens[..., 1] = 200, 102
    contents = [png(each + rng.integers(0, 3, size=each.shape)) for each in np.concatenate([reds, greens])]
    frame, y = pl.DataFrame({"p": contents}), np.repeat([0, 1], 20)
    colour = PictureClassifier(side=8, colour=True, filters=(4, 4), hidden=8, epochs=30)
    X = colour.featurize(frame)
    assert X.shape == (40, 192)
    assert (colour.fit(X, np.eye(2)[y]).predict_proba(X).argmax(axis=1) == y).all()


def test_lists_of_pixels_are_pictures_when_asked_for():
    X, y = bars()
    frame = pl.DataFrame({"length": y, "pixels": (X * 16).tolist()})
    classifier = PictureClassifier(column="pixels", filters=(4, 8), hidden=16, epochs=30)
    features = classifier.featurize(frame)
    assert features.shape == (60, 64)
    assert (features.min(), features.max()) == (0.0, 1.0)
    assert (classifier.fit(features, np.eye(2)[y]).predict_proba(features).argmax(axis=1) == y).mean() > 0.8


def test_the_range_of_pixels_is_learned_without_the_holdout():
    frame = pl.DataFrame({"pixels": [[0.0] * 15 + [1.0], [0.0] * 15 + [100.0]]})
    classifier = PictureClassifier(column="pixels")
    learned = classifier.learn_features(frame, learn_from=np.array([True, False]))
    assert learned.high == 1.0


@pytest.mark.parametrize(
    ("frame", "column", "message"),
    [
        ({"a": ["x"]}, None, "no column of pictures"),
        ({"a": [b"x"], "b": [b"y"]}, None, "several columns of pictures"),
        ({"a": [b"x"]}, "b", "No column 'b'"),
        ({"a": ["x"]}, "a", "holds String, no pictures"),
        ({"a": [[1.0] * 17]}, "a", "no square pictures"),
    ],
)
def test_columns_that_hold_no_pictures_are_refused(frame, column, message):
    with pytest.raises(ValueError, match=message):
        PictureClassifier(column=column).featurize(pl.DataFrame(frame))


def test_pictures_of_another_size_are_refused(learned):
    with pytest.raises(ValueError, match="trained on 64 features, got 100"):
        learned.predict_proba(np.zeros((1, 100)))


@pytest.mark.parametrize(
    ("settings", "message"), [({"dropout": 1.0}, "dropout"), ({"side": 2}, "side"), ({"filters": (4,)}, "filters")]
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        PictureClassifier(**settings)


def test_its_settings_are_rebuilt_by_name():
    classifier = PictureClassifier(column="scan", filters=(4, 8), warm_start=True)
    assert serialization.load(serialization.dump(classifier)) == classifier
