"""A multilayer perceptron with dropout, trained by torch on soft targets; passes for Monte Carlo dropout."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, ClassWeight
from labeling.classifiers.features.columns import ColumnFeatures
from labeling.classifiers.features.text import BoolArray, Features, FloatArray, Matrix
from labeling.classifiers.linear import balance, check_targets, present_columns, softmax, take_columns
from labeling.classifiers.networks.arrays_file import dump_arrays, load_arrays
from labeling.classifiers.networks.training import Schedule, train
from labeling.extras import extra

if TYPE_CHECKING:
    import polars as pl
    import torch

_SLICE = 32_768


@dataclass(frozen=True)
class NetworkClassifier(Classifier):
    """A multilayer perceptron with dropout, over text, numbers, choices or embeddings in columns.

    How many epochs it trains is found on rows set aside, see `networks.training`; then it trains on
    all rows, so that few labels are not made fewer.

    Attributes
    ----------
    hidden
        Width of each hidden layer; dropout follows each.
    dropout
        Share of hidden units left out.
    noise
        Deviation of what is added to dense features while it trains, in units of theirs. Sparse ones get none.
    learning_rate
        Of Adam; None: 0.005, and 0.01 for sparse features, of which each row teaches few.
    weight_decay
        How strongly large weights are held down.
    epochs
        At most so many passes over the rows.
    patience
        Epochs without progress before the search for their number ends.
    batch
        Rows a step.
    class_weight
        "balanced": every class counts the same, however rare; None: every item does.
    columns
        Which to use; None: all that can be.
    device
        Of torch; None: CUDA where there is one.
    warm_start
        Whether a loop starts each round from the network of the round before. Off, each round is as if it
        were the only one, and depends on its labels alone.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2)).astype(np.float32)
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> model = NetworkClassifier(hidden=(32,)).fit(X, np.eye(2)[y], seed=1)
    >>> bool((model.predict_proba(X).argmax(axis=1) == y).mean() > 0.9)
    True
    >>> model.mc_proba(X, samples=5).shape
    (5, 80, 2)
    """

    hidden: tuple[int, ...] = (128,)
    dropout: float = 0.3
    noise: float = 0.5
    learning_rate: float | None = None
    weight_decay: float = 1e-4
    epochs: int = 200
    patience: int = 20
    batch: int = 64
    class_weight: ClassWeight = None
    columns: tuple[str, ...] | None = None
    device: str | None = None
    warm_start: bool = False

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden must name at least one layer of at least one unit, got {self.hidden}.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}.")
        if self.noise < 0.0:
            raise ValueError(f"noise must be at least 0, got {self.noise}.")

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Learn vocabulary and scales from the rows of `learn_from`, default all."""
        return ColumnFeatures.learn(frame, text=text, learn_from=learn_from, columns=self.columns)

    def fit(
        self,
        X: Matrix,
        targets: FloatArray,
        weights: FloatArray | None = None,
        *,
        seed: int = 0,
        start: NetworkModel | None = None,
    ) -> NetworkModel:
        """Train on (n, d) features and (n, k) soft targets; go on from `start` where its layers have this shape."""
        extra("torch", "NetworkClassifier")
        import torch
        from threadpoolctl import threadpool_limits

        targets, weights = check_targets(X, targets, weights)
        rows = np.flatnonzero(weights > 0)
        X, targets, weights = X[rows], targets[rows], weights[rows]
        if self.class_weight == "balanced":
            weights = balance(targets, weights)
        width, present = X.shape[1], present_columns(X)
        # Features that no row has would cost time and keep their random weights.
        X = take_columns(X, present)
        X = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X, dtype=np.float32)
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")
        widths = [width, *self.hidden, targets.shape[1]]
        warm = start is not None and start.widths == widths
        if start is not None and warm:
            first_layers = _layers_of(start, present)
        else:
            first_layers = _first_layers(X, [len(present), *widths[1:]], seed)
        rate = self.learning_rate or (0.01 if hasattr(X, "tocsr") else 0.005)
        # Steps over a wide vocabulary are costly, and four folds found no better number of epochs there.
        folds = 1 if hasattr(X, "tocsr") else 4
        schedule = Schedule(rate, self.weight_decay, self.epochs, self.patience, self.batch, folds=folds)
        noise = 0.0 if hasattr(X, "tocsr") or not X.size else self.noise * float(X.std())
        # Layers this small lose more to threads than they gain.
        with threadpool_limits(1):
            net = train(
                lambda: _Perceptron(X, first_layers, self.dropout, noise, device),
                targets,
                weights / weights.mean(),
                schedule,
                device=device,
                seed=seed,
                warm=warm,
            )
        (first, bias), *others = net.arrays()
        weight = np.zeros((width, first.shape[1]), dtype=np.float32)
        if start is not None and warm:
            weight[:] = start.layers[0][0]
        weight[present] = first
        return NetworkModel(((weight, bias), *others), self.dropout)


@dataclass(frozen=True)
class NetworkModel:
    """A trained perceptron as arrays: predictions need no torch.

    Attributes
    ----------
    layers
        (weights, biases) of each layer, float32.
    dropout
        Share of hidden units left out in a stochastic pass.
    """

    layers: tuple[tuple[FloatArray, FloatArray], ...]
    dropout: float

    @property
    def widths(self) -> list[int]:
        """Features, units of each hidden layer, classes."""
        return [len(self.layers[0][0]), *(len(bias) for _, bias in self.layers)]

    def dump(self) -> bytes:
        """The arrays as bytes, to be read by `load`; no code in them."""
        named = {f"weight{place}": weight for place, (weight, _) in enumerate(self.layers)}
        named |= {f"bias{place}": bias for place, (_, bias) in enumerate(self.layers)}
        return dump_arrays(named | {"dropout": np.array(self.dropout)})

    @classmethod
    def load(cls, content: bytes) -> NetworkModel:
        """Read what `dump` wrote.

        Examples
        --------
        >>> layer = np.ones((2, 3), dtype=np.float32), np.zeros(3, dtype=np.float32)
        >>> NetworkModel.load(NetworkModel((layer,), dropout=0.5).dump()).widths
        [2, 3]
        """
        named = load_arrays(content)
        layers = tuple((named[f"weight{place}"], named[f"bias{place}"]) for place in range(len(named) // 2))
        return cls(layers, float(named["dropout"]))

    def predict_proba(self, X: Matrix) -> FloatArray:
        """(n, k) rows that sum to 1, nothing left out."""
        W, b = self.layers[-1]
        parts = [
            softmax((self._rest(first, None) @ W + b).astype(np.float64)) for first in map(self._first, _slices(X))
        ]
        return np.vstack(parts) if parts else np.zeros((0, len(b)))

    def mc_proba(self, X: Matrix, samples: int = 20, *, seed: int = 0) -> FloatArray:
        """(samples, n, k) float32 passes with dropout kept on.

        All items share the units left out in one pass, so that a pass is one draw of the weights, as
        BatchBALD requires. What comes before the first dropout is computed once for all passes; with
        one hidden layer the rest of all passes is a single product.
        """
        passes = np.empty((samples, X.shape[0], len(self.layers[-1][1])), dtype=np.float32)
        rng = np.random.default_rng(seed)
        keep = 1.0 - self.dropout
        masks = [
            (rng.random((samples, len(b))) < keep).astype(np.float32) / np.float32(keep) for _, b in self.layers[:-1]
        ]
        W, b = self.layers[-1]
        top = 0
        for part in _slices(X):
            first = self._first(part)
            rows = slice(top, top + len(first))
            if len(self.layers) == 2:
                # Masking a unit is masking its row of the next weights.
                wide = (masks[0].T[:, :, None] * W[:, None, :]).reshape(W.shape[0], -1)
                logits = (first @ wide).reshape(len(first), samples, -1).transpose(1, 0, 2) + b
                passes[:, rows] = softmax(logits)
            else:
                for sample in range(samples):
                    hidden = self._rest(first, [mask[sample] for mask in masks])
                    passes[sample, rows] = softmax(hidden @ W + b)
            top += len(first)
        return passes

    def _first(self, X: Matrix) -> FloatArray:
        W, b = self.layers[0]
        if X.shape[1] != W.shape[0]:
            raise ValueError(f"The model was trained on {W.shape[0]} features, got {X.shape[1]}.")
        first: FloatArray = np.maximum(np.asarray(X @ W, dtype=np.float32) + b, 0.0)
        return first

    def _rest(self, first: FloatArray, masks: list[FloatArray] | None) -> FloatArray:
        """Last hidden layer, from the first, each left out by its mask."""
        hidden = first if masks is None else first * masks[0]
        for place, (W, b) in enumerate(self.layers[1:-1], start=1):
            hidden = np.maximum(hidden @ W + b, 0.0)
            hidden = hidden if masks is None else hidden * masks[place]
        return hidden


def _slices(X: Matrix) -> list[Matrix]:
    return [X[top : top + _SLICE] for top in range(0, X.shape[0], _SLICE)]


class _Perceptron:
    """Weights under training, and the rows they are trained on."""

    def __init__(
        self,
        X: Matrix,
        layers: Sequence[tuple[torch.Tensor, torch.Tensor]],
        dropout: float,
        noise: float,
        device: str,
    ) -> None:
        self.X, self.dropout, self.noise, self.device = X, dropout, noise, device
        self.layers = [(_learned(weight, device), _learned(bias, device)) for weight, bias in layers]

    @property
    def weights(self) -> list[torch.Tensor]:
        return [each for layer in self.layers for each in layer]

    def logits(self, rows: Any, random: torch.Generator | None) -> torch.Tensor:
        import torch

        hidden = self._drop(torch.relu(self._input(rows, random)), random)
        for weight, bias in self.layers[1:-1]:
            hidden = self._drop(torch.relu(hidden @ weight + bias), random)
        weight, bias = self.layers[-1]
        return hidden @ weight + bias

    def _input(self, rows: Any, random: torch.Generator | None) -> torch.Tensor:
        """The first layer, before its threshold; sparse rows cost what they hold."""
        import torch

        weight, bias = self.layers[0]
        part = self.X[rows]
        if not hasattr(part, "tocsr"):
            if self.noise and random is not None:
                part = part + self.noise * torch.randn(part.shape, generator=random).numpy()
            return torch.as_tensor(part, device=self.device) @ weight + bias
        if not part.nnz:
            return bias.expand(len(rows), -1)
        summed = torch.nn.functional.embedding_bag(
            torch.as_tensor(part.indices, dtype=torch.int64, device=self.device),
            weight,
            torch.as_tensor(part.indptr[:-1], dtype=torch.int64, device=self.device),
            mode="sum",
            per_sample_weights=torch.as_tensor(part.data, dtype=torch.float32, device=self.device),
        )
        return summed + bias

    def _drop(self, hidden: torch.Tensor, random: torch.Generator | None) -> torch.Tensor:
        import torch

        if not self.dropout or random is None:
            return hidden
        kept = torch.rand(hidden.shape, generator=random) >= self.dropout
        return hidden * kept.to(self.device) / (1.0 - self.dropout)

    def arrays(self) -> tuple[tuple[FloatArray, FloatArray], ...]:
        """Weights and biases of each layer."""
        return tuple((weight.detach().cpu().numpy(), bias.detach().cpu().numpy()) for weight, bias in self.layers)


def _learned(values: torch.Tensor, device: str) -> torch.Tensor:
    return values.detach().clone().to(device).requires_grad_()


def _first_layers(X: Matrix, widths: list[int], seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """He initialisation; the output starts at even probabilities."""
    import torch

    random = torch.Generator().manual_seed(seed)
    layers = []
    for place, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        # A row of TF-IDF has length 1, however wide it is: scale by what a row holds, not by the width.
        scale = _row_scale(X) if place == 0 else (2.0 / inputs) ** 0.5
        if place == len(widths) - 2:
            scale *= 0.1
        layers.append((torch.randn(inputs, outputs, generator=random) * scale, torch.zeros(outputs)))
    return layers


def _layers_of(model: NetworkModel, present: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    import torch

    (first, bias), *others = model.layers
    return [(torch.as_tensor(w), torch.as_tensor(b)) for w, b in ((first[present], bias), *others)]


def _row_scale(X: Matrix) -> float:
    values = X.data if hasattr(X, "tocsr") else X
    return float(np.sqrt(2.0 / max(float(np.square(values).sum()) / max(X.shape[0], 1), 1e-6)))
