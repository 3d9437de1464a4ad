"""How networks are trained: Adam on soft targets, for as many epochs as rows set aside call for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from labeling.classifiers.features.text import FloatArray

# With fewer rows no fold could say anything; with more, cross-validation costs more than the rows set aside.
_SEARCH_FROM, _FOLDS_TO = 40, 300
# From here on a seventh of the rows is no loss worth a second run.
_AGAIN_TO = 4_000
_ASIDE = 7
_JUDGED_AT_ONCE = 4_096
# An error must fall by this share to count as progress.
_PROGRESS = 0.002


class Net(Protocol):
    """Weights under training."""

    @property
    def weights(self) -> Sequence[torch.Tensor]:
        """All that is learned; those of two dimensions and more are held down by weight decay."""
        ...

    def logits(self, rows: npt.NDArray[np.intp], random: torch.Generator | None) -> torch.Tensor:
        """(rows, k); without a generator nothing is left out."""
        ...


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; the step falls along half a cosine towards the last epoch.

    Attributes
    ----------
    learning_rate, weight_decay
        Of Adam.
    epochs
        At most so many passes over the rows.
    patience
        Epochs without progress before it stops.
    batch
        Rows a step.
    folds
        Between 40 and 300 rows: 1 sets a seventh aside as above, for networks whose steps are costly.
    """

    learning_rate: float
    weight_decay: float
    epochs: int
    patience: int
    batch: int
    folds: int = 4

    def step(self, epoch: int) -> float:
        """Learning rate of an epoch, counted from 0."""
        return float(self.learning_rate * 0.5 * (1.0 + np.cos(np.pi * epoch / self.epochs)))


_Net = TypeVar("_Net", bound="Net")


def train(
    start: Callable[[], _Net],
    targets: FloatArray,
    weights: FloatArray,
    schedule: Schedule,
    *,
    device: str,
    seed: int,
    warm: bool = False,
) -> _Net:
    """Return a net trained on all rows.

    The number of epochs is the one at which rows set aside were predicted best: each of four folds in turn
    between 40 and 300 rows, a seventh of the rows above. A last run over all rows then takes twice as many,
    because the search errs on the short side and the step of the last run falls to 0; but above 4,000 rows
    the run that was judged is kept as it was at its best. Below 40 rows it goes on until all of them are
    predicted no better.

    Parameters
    ----------
    start
        Gives a net with the same first weights each time.
    targets, weights
        (n, k) soft targets and (n,) weights of the rows.
    warm
        The first weights were trained before, on some of these rows: a fifth of the epochs, the step falling
        to 0. Rows set aside could say nothing, as the weights have seen them.
    """
    judge = _Judge(targets, weights, device)
    n = len(targets)
    order = np.random.default_rng(seed).permutation(n)
    if warm:
        return _for(max(schedule.epochs // 5, 1), _Run(start(), judge, order, schedule, seed))
    if n < _SEARCH_FROM:
        return _kept_at_best(_Run(start(), judge, order, schedule, seed), order, schedule)
    parts = np.array_split(order, schedule.folds) if n < _FOLDS_TO and schedule.folds > 1 else [order[: n // _ASIDE]]
    runs = [_Run(start(), judge, np.setdiff1d(order, part), schedule, seed) for part in parts]
    if n > _AGAIN_TO:
        return _kept_at_best(runs[0], parts[0], schedule)
    epochs = min(2 * _best_epochs(runs, parts, schedule), schedule.epochs)
    return _for(epochs, _Run(start(), judge, order, schedule, seed))


def _for(epochs: int, run: _Run[_Net]) -> _Net:
    """Run so many epochs, the step falling to 0."""
    run.schedule = replace(run.schedule, epochs=epochs)
    for _ in range(epochs):
        run.epoch()
    return run.net


def _best_epochs(runs: Sequence[_Run[_Net]], parts: Sequence[npt.NDArray[np.intp]], schedule: Schedule) -> int:
    """Epochs at which the runs predict best, on the mean, the rows that each has not seen."""
    best, epochs = np.inf, 1
    for epoch in range(1, schedule.epochs + 1):
        now = 0.0
        for run, part in zip(runs, parts, strict=True):
            run.epoch()
            now += run.error(part) / len(runs)
        if now < best * (1.0 - _PROGRESS):
            best, epochs = now, epoch
        elif epoch - epochs >= schedule.patience:
            break
    return epochs


def _kept_at_best(run: _Run[_Net], judged: npt.NDArray[np.intp], schedule: Schedule) -> _Net:
    """Run until some rows are predicted no better; the net as it was at its best."""
    best, since, kept = np.inf, 0, run.state()
    for _ in range(schedule.epochs):
        run.epoch()
        now = run.error(judged)
        if now < best * (1.0 - _PROGRESS) - 1e-6:
            best, since, kept = now, 0, run.state()
        else:
            since += 1
        if since >= schedule.patience:
            break
    run.restore(kept)
    return run.net


class _Judge:
    """How far predictions are from soft targets, weighted."""

    def __init__(self, targets: FloatArray, weights: FloatArray, device: str) -> None:
        import torch

        self.targets = torch.as_tensor(targets, dtype=torch.float32, device=device)
        self.weights = torch.as_tensor(weights, dtype=torch.float32, device=device)

    def loss(self, logits: torch.Tensor, rows: npt.NDArray[np.intp]) -> torch.Tensor:
        """Mean cross-entropy: what is trained on."""
        import torch

        chosen = torch.as_tensor(rows, device=self.targets.device)
        losses = -(self.targets[chosen] * torch.log_softmax(logits, dim=1)).sum(dim=1)
        return (losses * self.weights[chosen]).mean()

    def error(self, logits: torch.Tensor, rows: npt.NDArray[np.intp]) -> torch.Tensor:
        """Sum of Brier scores: what says when to stop.

        On few rows cross-entropy is the word of the one or two that are wrong and sure, and rises long before
        predictions get worse.
        """
        import torch

        chosen = torch.as_tensor(rows, device=self.targets.device)
        squares = (torch.softmax(logits, dim=1) - self.targets[chosen]).square().sum(dim=1)
        return (squares * self.weights[chosen]).sum()


class _Run(Generic[_Net]):
    """One net on its way; nothing of torch's global state is touched."""

    def __init__(self, net: _Net, judge: _Judge, rows: npt.NDArray[np.intp], schedule: Schedule, seed: int) -> None:
        import torch

        self.net, self.judge, self.rows, self.schedule = net, judge, rows, schedule
        self.random = torch.Generator().manual_seed(seed)
        self.done = 0
        wide = [each for each in net.weights if each.ndim > 1]
        narrow = [each for each in net.weights if each.ndim <= 1]
        groups = [{"params": wide, "weight_decay": schedule.weight_decay}, {"params": narrow, "weight_decay": 0.0}]
        self.adam = torch.optim.Adam(groups, lr=schedule.learning_rate, fused=True)

    def epoch(self) -> None:
        """One pass over the rows."""
        import torch

        for group in self.adam.param_groups:
            group["lr"] = self.schedule.step(self.done)
        shuffled = self.rows[torch.randperm(len(self.rows), generator=self.random).numpy()]
        for top in range(0, len(shuffled), self.schedule.batch):
            rows = shuffled[top : top + self.schedule.batch]
            loss = self.judge.loss(self.net.logits(rows, self.random), rows)
            self.adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            self.adam.step()
        self.done += 1

    def error(self, rows: npt.NDArray[np.intp]) -> float:
        """Mean over rows, nothing left out."""
        import torch

        with torch.no_grad():
            parts = np.array_split(rows, -(-len(rows) // _JUDGED_AT_ONCE))
            return sum(float(self.judge.error(self.net.logits(part, None), part)) for part in parts) / len(rows)

    def state(self) -> list[Any]:
        """Copy of the weights."""
        return [each.detach().clone() for each in self.net.weights]

    def restore(self, state: list[Any]) -> None:
        """Put weights back."""
        import torch

        with torch.no_grad():
            for each, kept in zip(self.net.weights, state, strict=True):
                each.copy_(kept)
