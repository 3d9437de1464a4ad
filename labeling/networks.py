"""A multilayer perceptron with dropout, trained by torch on soft targets; passes for Monte Carlo dropout."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers import Classifier, ClassWeight
from labeling.features import BoolArray, Features, FloatArray, Matrix
from labeling.linear import balance, check_targets, present_columns, softmax, take_columns
from labeling.tabular import ColumnFeatures

if TYPE_CHECKING:
    import polars as pl
    import torch

_SLICE = 32_768


@dataclass(frozen=True)
class NetworkClassifier(Classifier):
    """A multilayer perceptron with dropout, over text, numbers, choices or embeddings in columns.

    Training stops when the loss on a seventh of the rows, set aside by seed, has not fallen for `patience`
    epochs (below 100 rows, when the loss on all of them has not), and keeps the best state.

    Attributes
    ----------
    hidden
        Width of each hidden layer; dropout follows each.
    dropout
        Share of hidden units left out.
    learning_rate
        Of Adam.
    weight_decay
        How strongly large weights are held down.
    epochs
        At most so many passes over the rows.
    patience
        Epochs without progress before it stops.
    batch
        Rows a step.
    class_weight
        "balanced": every class counts the same, however rare; None: every item does.
    columns
        Which to use; None: all that can be.
    device
        Of torch; None: CUDA where there is one.

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
    learning_rate: float = 0.01
    weight_decay: float = 1e-4
    epochs: int = 200
    patience: int = 10
    batch: int = 64
    class_weight: ClassWeight = None
    columns: tuple[str, ...] | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise ValueError(f"hidden must name at least one layer of at least one unit, got {self.hidden}.")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}.")

    def learn_features(
        self, frame: pl.DataFrame, *, text: str | None = None, learn_from: BoolArray | None = None
    ) -> Features:
        """Learn vocabulary and scales from the rows of `learn_from`, default all."""
        return ColumnFeatures.learn(frame, text=text, learn_from=learn_from, columns=self.columns)

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> NetworkModel:
        """Train on (n, d) features and (n, k) soft targets."""
        from threadpoolctl import threadpool_limits

        targets, weights = check_targets(X, targets, weights)
        rows = np.flatnonzero(weights > 0)
        X, targets, weights = X[rows], targets[rows], weights[rows]
        if self.class_weight == "balanced":
            weights = balance(targets, weights)
        width, present = X.shape[1], present_columns(X)
        # Features that no row has would cost time and keep their random weights.
        training = _Training(self, take_columns(X, present), targets, weights / weights.mean(), seed)
        # Layers this small lose more to threads than they gain.
        with threadpool_limits(1):
            (first, bias), *others = training.run()
        weight = np.zeros((width, first.shape[1]), dtype=np.float32)
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


class _Training:
    """One run of Adam; nothing of torch's global state is touched."""

    def __init__(
        self, settings: NetworkClassifier, X: Matrix, targets: FloatArray, weights: FloatArray, seed: int
    ) -> None:
        import torch

        self.settings = settings
        self.device = settings.device or ("cuda" if torch.cuda.is_available() else "cpu")
        self.random = torch.Generator().manual_seed(seed)
        self.X: Matrix = X.tocsr() if hasattr(X, "tocsr") else np.asarray(X, dtype=np.float32)
        self.targets = torch.as_tensor(targets, dtype=torch.float32, device=self.device)
        self.weights = torch.as_tensor(weights, dtype=torch.float32, device=self.device)
        self.layers = self._start([X.shape[1], *settings.hidden, targets.shape[1]])

    def _start(self, widths: list[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """He initialisation; the output starts at even probabilities."""
        import torch

        layers = []
        for place, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            # A row of TF-IDF has length 1, however wide it is: scale by what a row holds, not by the width.
            scale = self._row_scale() if place == 0 else (2.0 / inputs) ** 0.5
            weight = torch.randn(inputs, outputs, generator=self.random) * scale
            if place == len(widths) - 2:
                weight = weight * 0.1
            layers.append(tuple(each.to(self.device).requires_grad_() for each in (weight, torch.zeros(outputs))))
        return layers  # type: ignore[return-value]

    def _row_scale(self) -> float:
        values = self.X.data if hasattr(self.X, "tocsr") else self.X
        squares = float(np.square(values).sum())
        return float(np.sqrt(2.0 / max(squares / max(self.X.shape[0], 1), 1e-6)))

    def run(self) -> list[tuple[FloatArray, FloatArray]]:
        """Train; layers as numpy arrays."""
        import torch

        n, settings = self.X.shape[0], self.settings
        order = torch.randperm(n, generator=self.random).numpy()
        aside = n // 7 if n >= 100 else 0
        judged = order[:aside] if aside else order
        learned = order[aside:]
        adam = torch.optim.Adam([each for layer in self.layers for each in layer], lr=settings.learning_rate)
        best, since, kept = np.inf, 0, self._arrays()
        for _ in range(settings.epochs):
            shuffled = learned[torch.randperm(len(learned), generator=self.random).numpy()]
            for top in range(0, len(shuffled), settings.batch):
                adam.zero_grad()
                loss = self._loss(shuffled[top : top + settings.batch], settings.dropout) + self._decay()
                loss.backward()  # type: ignore[no-untyped-call]
                adam.step()
            now = self._mean_loss(judged)
            if now < best * 0.995 - 1e-4:
                best, since, kept = now, 0, self._arrays()
            else:
                since += 1
            if since >= settings.patience:
                break
        return kept

    def _mean_loss(self, rows: Any) -> float:
        import torch

        with torch.no_grad():
            parts = np.array_split(rows, -(-len(rows) // 4_096))
            return sum(float(self._loss(part, 0.0)) * len(part) for part in parts) / len(rows)

    def _loss(self, rows: Any, dropout: float) -> torch.Tensor:
        import torch

        hidden = torch.relu(self._input(rows))
        hidden = self._drop(hidden, dropout)
        for weight, bias in self.layers[1:-1]:
            hidden = self._drop(torch.relu(hidden @ weight + bias), dropout)
        weight, bias = self.layers[-1]
        logs = torch.log_softmax(hidden @ weight + bias, dim=1)
        losses = -(self.targets[rows] * logs).sum(dim=1)
        return (losses * self.weights[rows]).mean()

    def _input(self, rows: Any) -> torch.Tensor:
        """The first layer, before its threshold; sparse rows cost what they hold."""
        import torch

        weight, bias = self.layers[0]
        part = self.X[rows]
        if not hasattr(part, "tocsr"):
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

    def _drop(self, hidden: torch.Tensor, dropout: float) -> torch.Tensor:
        import torch

        if not dropout:
            return hidden
        kept = torch.rand(hidden.shape, generator=self.random) >= dropout
        return hidden * kept.to(self.device) / (1.0 - dropout)

    def _decay(self) -> torch.Tensor:
        import torch

        return self.settings.weight_decay * torch.stack([weight.square().sum() for weight, _ in self.layers]).sum()

    def _arrays(self) -> list[tuple[FloatArray, FloatArray]]:
        return [
            (weight.detach().cpu().numpy().copy(), bias.detach().cpu().numpy().copy()) for weight, bias in self.layers
        ]
