"""A small convolutional network over pictures, trained by torch on soft targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, ClassWeight
from labeling.classifiers.features.pictures import PictureFeatures, PixelFeatures, picture_column
from labeling.classifiers.features.text import BoolArray, FloatArray, Matrix
from labeling.classifiers.linear import balance, check_targets
from labeling.classifiers.networks.arrays_file import dump_arrays, load_arrays
from labeling.classifiers.networks.perceptron import NetworkModel
from labeling.classifiers.networks.training import Schedule, train
from labeling.extras import extra

if TYPE_CHECKING:
    import polars as pl
    import torch

# Pictures convolved at a time: bounds the memory of the feature maps.
_SLICE = 2_048


@dataclass(frozen=True)
class PictureClassifier(Classifier):
    """A small convolutional network over one column of pictures.

    Two convolutions, each halved by its largest values, a dense layer, dropout, and the output. While it
    trains, each batch is shifted by a pixel or none, because what a picture shows does not depend on that.
    How many epochs it trains is found on rows set aside, as for `NetworkClassifier`.

    Attributes
    ----------
    column
        The pictures: bytes, or lists of side x side grey values (times three, red first, for colour).
        None: the one column of bytes.
    side
        Pixels a side that pictures are brought to; lists of values stay as they are.
    colour
        Whether colours matter: red, green and blue instead of grey.
    filters
        Of each convolution.
    hidden
        Units of the dense layer; dropout follows it.
    dropout
        Share of these units left out.
    shift
        By how many pixels a batch is shifted at most.
    learning_rate, weight_decay
        Of Adam.
    epochs, patience, batch
        At most so many passes over the rows; epochs without progress before the search for their number
        ends; rows a step.
    class_weight
        "balanced": every class counts the same, however rare; None: every item does.
    device
        Of torch; None: CUDA where there is one.
    warm_start
        Whether a loop starts each round from the network of the round before.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(0, 0.3, size=(60, 8, 8)).astype(np.float32)
    >>> X[:30, 3, :], X[30:, :, 3] = 1.0, 1.0
    >>> y = np.repeat([0, 1], 30)
    >>> model = PictureClassifier().fit(X.reshape(60, 64), np.eye(2)[y])
    >>> bool((model.predict_proba(X.reshape(60, 64)).argmax(axis=1) == y).mean() > 0.9)
    True
    """

    column: str | None = None
    side: int = 16
    colour: bool = False
    filters: tuple[int, int] = (16, 32)
    hidden: int = 128
    dropout: float = 0.5
    shift: int = 1
    learning_rate: float = 0.003
    weight_decay: float = 1e-4
    epochs: int = 80
    patience: int = 15
    batch: int = 32
    class_weight: ClassWeight = None
    device: str | None = None
    warm_start: bool = False

    def __post_init__(self) -> None:
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}.")
        if self.side < 4:
            raise ValueError(f"side must be at least 4 pixels, since each of two convolutions halves it: {self.side}.")
        if len(self.filters) != 2 or min(self.filters) < 1 or self.hidden < 1:
            raise ValueError(f"filters= takes two counts and hidden= one: {self.filters}, {self.hidden}.")

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> PictureFeatures | PixelFeatures:
        """How to read the column of pictures; of lists, the range of the values in the rows of `learn_from`."""
        column = picture_column(frame.schema, self.column)
        if frame.schema[column].is_nested():
            rows = frame if learn_from is None else frame.filter(np.asarray(learn_from, dtype=bool))
            return PixelFeatures.learn(rows.get_column(column), channels=self._channels)
        return PictureFeatures(column, self.side, self.colour)

    @property
    def _channels(self) -> int:
        return 3 if self.colour else 1

    def fit(
        self,
        X: Matrix,
        targets: FloatArray,
        weights: FloatArray | None = None,
        *,
        seed: int = 0,
        start: PictureModel | None = None,
    ) -> PictureModel:
        """Train on (n, channels * side * side) pixels and (n, k) soft targets; go on from `start` if it has this shape.

        The channels of a picture follow each other, each row by row.
        """
        extra("torch", "PictureClassifier")
        import torch

        targets, weights = check_targets(X, targets, weights)
        rows = np.flatnonzero(weights > 0)
        X, targets, weights = np.asarray(X, dtype=np.float32)[rows], targets[rows], weights[rows]
        if self.class_weight == "balanced":
            weights = balance(targets, weights)
        side = side_of(X.shape[1], self._channels)
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        fresh = _first_weights(self, side, targets.shape[1], float(np.square(X).mean()), seed)
        warm = start is not None and [each.shape for each in start.arrays] == [tuple(each.shape) for each in fresh]
        first = [torch.as_tensor(each) for each in start.arrays] if start is not None and warm else fresh
        pixels = torch.as_tensor(X.reshape(len(X), self._channels, side, side), device=device)
        schedule = Schedule(self.learning_rate, self.weight_decay, self.epochs, self.patience, self.batch, folds=1)
        net = train(
            lambda: _Convolutional(pixels, first, self.dropout, self.shift),
            targets,
            weights / weights.mean(),
            schedule,
            device=device,
            seed=seed,
            warm=warm,
        )
        arrays = tuple(each.detach().cpu().numpy() for each in net.weights)
        return PictureModel(arrays, side, self.dropout, device)


@dataclass(frozen=True)
class PictureModel:
    """A trained convolutional network as arrays.

    Attributes
    ----------
    arrays
        Filters and biases of both convolutions, weights and biases of the dense layer and the output.
    side
        Pixels a side.
    dropout
        Share of hidden units left out in a stochastic pass.
    device
        Where torch convolves.
    """

    arrays: tuple[FloatArray, ...]
    side: int
    dropout: float
    device: str = "cpu"

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1, nothing left out."""
        return self._dense.predict_proba(self._convolved(X))

    def mc_proba(self, X: Matrix, samples: int = 20, *, seed: int = 0) -> FloatArray:
        """(samples, n, k) passes with dropout kept on; the convolutions are computed once for all."""
        return self._dense.mc_proba(self._convolved(X), samples, seed=seed)

    def dump(self) -> bytes:
        """The arrays as bytes, to be read by `load`; no code in them."""
        named = {f"array{place}": array for place, array in enumerate(self.arrays)}
        return dump_arrays(named | {"side": np.array(self.side), "dropout": np.array(self.dropout)})

    @classmethod
    def load(cls, content: bytes) -> PictureModel:
        """Read what `dump` wrote."""
        named = load_arrays(content)
        if missing := {"side", "dropout"} - set(named):
            raise ValueError(f"These bytes are no convolutional network: {', '.join(sorted(missing))} is missing.")
        arrays = tuple(named[f"array{place}"] for place in range(len(named) - 2))
        return cls(arrays, int(named["side"]), float(named["dropout"]))

    @property
    def _dense(self) -> NetworkModel:
        return NetworkModel(((self.arrays[4], self.arrays[5]), (self.arrays[6], self.arrays[7])), self.dropout)

    def _convolved(self, X: Matrix) -> FloatArray:
        """(n, features) what the dense layer reads."""
        import torch

        filters = [torch.as_tensor(each, device=self.device) for each in self.arrays[:4]]
        channels = self.arrays[0].shape[1]
        if X.shape[1] != channels * self.side**2:
            raise ValueError(f"The model was trained on {channels * self.side**2} features, got {X.shape[1]}.")
        out = np.empty((X.shape[0], self.arrays[4].shape[0]), dtype=np.float32)
        with torch.no_grad():
            for top in range(0, X.shape[0], _SLICE):
                part = np.asarray(X[top : top + _SLICE], dtype=np.float32).reshape(-1, channels, self.side, self.side)
                found = _convolve(torch.as_tensor(part, device=self.device), filters)
                out[top : top + _SLICE] = found.cpu().numpy()
        return out


def side_of(width: int, channels: int) -> int:
    """Pixels a side of square pictures of so many values.

    Examples
    --------
    >>> side_of(64, 1), side_of(192, 3)
    (8, 8)
    """
    side = math.isqrt(width // channels)
    if side * side * channels != width or side < 4:
        raise ValueError(
            f"{width} values a picture are no square of at least 4 x 4 pixels with {channels} channel"
            f"{'s' if channels > 1 else ''}. Set colour=, or bring the pictures to one size."
        )
    return side


def _convolve(pixels: torch.Tensor, filters: Sequence[torch.Tensor]) -> torch.Tensor:
    """(n, features) of (n, channels, side, side)."""
    import torch
    from torch.nn.functional import conv2d, max_pool2d

    first, first_bias, second, second_bias = filters
    maps = max_pool2d(torch.relu(conv2d(pixels, first, first_bias, padding="same")), 2)
    maps = max_pool2d(torch.relu(conv2d(maps, second, second_bias, padding="same")), 2)
    return maps.flatten(1)


def _first_weights(
    settings: PictureClassifier, side: int, classes: int, square: float, seed: int
) -> list[torch.Tensor]:
    """He initialisation; the output starts at even probabilities."""
    import torch

    random = torch.Generator().manual_seed(seed)
    channels = 3 if settings.colour else 1
    one, two = settings.filters
    flat = two * (side // 4) ** 2
    shapes = [(one, channels, 3, 3), (two, one, 3, 3), (flat, settings.hidden), (settings.hidden, classes)]
    inputs = [channels * 9 * max(square, 1e-3), one * 9, flat, settings.hidden * 100]
    weights: list[torch.Tensor] = []
    for place, (shape, reads) in enumerate(zip(shapes, inputs, strict=True)):
        weights.append(torch.randn(shape, generator=random) * (2.0 / reads) ** 0.5)
        weights.append(torch.zeros(shape[0] if place < 2 else shape[1]))
    return weights


class _Convolutional:
    """Weights under training, and the pictures they are trained on."""

    def __init__(self, pixels: torch.Tensor, first: Sequence[torch.Tensor], dropout: float, shift: int) -> None:
        self.pixels, self.dropout, self.shift = pixels, dropout, shift
        self.weights = [each.detach().clone().to(pixels.device).requires_grad_() for each in first]

    def logits(self, rows: Any, random: torch.Generator | None) -> torch.Tensor:
        import torch

        pixels = self.pixels[torch.as_tensor(rows, device=self.pixels.device)]
        if random is not None and self.shift:
            pixels = self._shifted(pixels, random)
        *filters, dense, bias, last, last_bias = self.weights
        hidden = torch.relu(_convolve(pixels, filters) @ dense + bias)
        if random is not None and self.dropout:
            kept = torch.rand(hidden.shape, generator=random) >= self.dropout
            hidden = hidden * kept.to(hidden.device) / (1.0 - self.dropout)
        return hidden @ last + last_bias

    def _shifted(self, pixels: torch.Tensor, random: torch.Generator) -> torch.Tensor:
        """All by the same few pixels; what moves in repeats the border."""
        import torch
        from torch.nn.functional import pad

        down, right = torch.randint(0, 2 * self.shift + 1, (2,), generator=random).tolist()
        side = pixels.shape[-1]
        wide = pad(pixels, (self.shift,) * 4, mode="replicate")
        return wide[:, :, down : down + side, right : right + side]
