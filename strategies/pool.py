"""What a strategy reads: the items that may be asked, as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.floating[Any]]
IntArray: TypeAlias = npt.NDArray[np.integer[Any]]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Matrix: TypeAlias = Any
"""A dense array or a scipy CSR matrix, (n, d)."""
Lazy: TypeAlias = Any
"""An array, or a function without arguments that returns it; called once, when first read."""

# Along which axis each array runs over the items of the pool; the others run over labeled or open items.
_ITEM_AXIS = {
    "proba": 0,
    "mc_proba": 1,
    "committee": 1,
    "embedding": 0,
    "features": 0,
    "votes": 0,
    "weak_proba": 0,
    "mask": 0,
    "group": 0,
    "welcome": 0,
}
_OTHERS = ("labels", "labeled_embedding", "cv_errors", "open_embedding", "open_group", "rewards")


class Pool:
    """The items that may be asked, as arrays; each is computed when a strategy first reads it.

    Every argument but `key` and `regions` is an array or a function without arguments that returns
    one; `mc_proba` may also be a function of the number of samples.

    Parameters
    ----------
    proba
        (n, k) class probabilities of the current model; before there is one, the weak posterior.
    mc_proba
        (s, n, k) probabilities of s stochastic passes, dropout kept on; or ``samples -> (s, n, k)``.
    committee
        (c, n, k) probabilities of the members of a committee.
    embedding
        (n, d) dense float32 or CSR: distances between items.
    features
        (n, d) what the model reads (all words, where the embedding is a digest of them).
    votes
        (n, m) votes of the labeling functions, class positions, -1 abstains.
    weak_proba
        (n, k) what the label model makes of the votes.
    labels
        (l,) class positions of the labeled items.
    labeled_embedding
        (l, d) their embedding.
    cv_errors
        (l,) true where cross-validation got the labeled item wrong.
    open_embedding
        (o, d) items that were asked and not answered yet.
    mask
        (n,) true where better performance is wanted.
    regions
        More such masks by name, for `Region`.
    group
        (n,) integers, -1 for none; items of one group are near-duplicates, of which a batch holds one.
    open_group
        (o,) groups of the items that were asked and not answered yet.
    welcome
        (n,) true where a person said that an item belongs, however odd it looks.
    rewards
        What became of earlier picks, oldest first, for `Bandit`: a sequence of `Outcome`.
    key
        (n,) item ids; ties are broken by them, so that row order never matters. Default 0..n-1.
    classes
        k, where no array says it.

    Examples
    --------
    >>> pool = Pool(proba=lambda: np.array([[0.5, 0.5], [1.0, 0.0]]))
    >>> len(pool), pool.has("embedding")
    (2, False)
    """

    def __init__(
        self,
        *,
        proba: Lazy = None,
        mc_proba: Lazy = None,
        committee: Lazy = None,
        embedding: Lazy = None,
        features: Lazy = None,
        votes: Lazy = None,
        weak_proba: Lazy = None,
        labels: Lazy = None,
        labeled_embedding: Lazy = None,
        cv_errors: Lazy = None,
        open_embedding: Lazy = None,
        mask: Lazy = None,
        regions: Mapping[str, Lazy] | None = None,
        group: Lazy = None,
        open_group: Lazy = None,
        welcome: Lazy = None,
        rewards: Lazy = None,
        key: npt.ArrayLike | None = None,
        classes: int | None = None,
    ) -> None:
        self._given: dict[str, Lazy] = {
            "proba": proba,
            "mc_proba": mc_proba,
            "committee": committee,
            "embedding": embedding,
            "features": features,
            "votes": votes,
            "weak_proba": weak_proba,
            "labels": labels,
            "labeled_embedding": labeled_embedding,
            "cv_errors": cv_errors,
            "open_embedding": open_embedding,
            "mask": mask,
            "group": group,
            "open_group": open_group,
            "welcome": welcome,
            "rewards": rewards,
        }
        self._regions = dict(regions or {})
        self._key = None if key is None else np.asarray(key)
        self._classes = classes
        self._cache: dict[str, Any] = {}

    def __len__(self) -> int:
        return self._size

    @cached_property
    def _size(self) -> int:
        if self._key is not None:
            return int(self._key.shape[0])
        names = [name for name in _ITEM_AXIS if self._given[name] is not None]
        if not names:
            raise ValueError("A Pool needs at least one array over its items, or key=. Pass proba= or embedding=.")
        # An array that is there already is preferred to one that would have to be computed.
        name = min(names, key=lambda name: callable(self._given[name]))
        given = self._given[name]
        array = given if not callable(given) else self.mc(1) if name == "mc_proba" else self._read(name, check=False)
        return int(np.shape(array)[_ITEM_AXIS[name]])

    def has(self, name: str) -> bool:
        """Whether the array of that name was given; nothing is computed."""
        return self._given.get(name) is not None

    def _read(self, name: str, *, check: bool = True) -> Any:
        if name not in self._cache:
            value = self._given[name]
            if value is None:
                given = ", ".join(known for known, value in self._given.items() if value is not None) or "nothing"
                raise ValueError(f"This strategy reads pool.{name}, which was not given (given: {given}).")
            self._cache[name] = value() if callable(value) else value
        value = self._cache[name]
        if not hasattr(value, "shape") and name != "rewards":
            value = self._cache[name] = np.asarray(value)
        if check and name in _ITEM_AXIS and value.shape[_ITEM_AXIS[name]] != len(self):
            raise ValueError(
                f"pool.{name} has shape {value.shape}, but the pool holds {len(self)} items: "
                f"axis {_ITEM_AXIS[name]} must have that length."
            )
        return value

    def kept(self, name: str, make: Callable[[], Any]) -> Any:
        """What `make` makes, made once for this pool."""
        if name not in self._cache:
            self._cache[name] = make()
        return self._cache[name]

    @property
    def proba(self) -> FloatArray:
        """(n, k), finite."""
        proba: FloatArray = self._read("proba")
        if "proba checked" not in self._cache:
            if proba.ndim != 2:
                raise ValueError(f"pool.proba must be (n items, k classes), got shape {proba.shape}.")
            if not np.isfinite(proba).all():
                raise ValueError("pool.proba holds NaN or infinity. Each row must be probabilities that sum to 1.")
            self._cache["proba checked"] = True
        return proba

    def mc(self, samples: int) -> FloatArray:
        """(s, n, k) stochastic passes; `samples` counts only where the pool was given a function of it."""
        given = self._given["mc_proba"]
        if not callable(given):
            array: FloatArray = self._read("mc_proba")
            return array
        name = f"mc_proba {samples}"
        if name not in self._cache:
            self._cache[name] = np.asarray(given(samples))
        passes: FloatArray = self._cache[name]
        return passes

    @property
    def committee(self) -> FloatArray:
        """(c, n, k)."""
        array: FloatArray = self._read("committee")
        return array

    @property
    def embedding(self) -> Matrix:
        """(n, d), dense or CSR."""
        return self._read("embedding")

    @property
    def features(self) -> Matrix:
        """(n, d), dense or CSR; the embedding where no other features were given."""
        return self._read("features") if self.has("features") else self.embedding

    @property
    def welcome(self) -> BoolArray:
        """(n,), false where nobody said anything."""
        if not self.has("welcome"):
            return np.zeros(len(self), dtype=bool)
        array: BoolArray = self._read("welcome")
        return array

    @property
    def votes(self) -> IntArray:
        """(n, m), -1 abstains; (n, 0) where there are no labeling functions."""
        if not self.has("votes"):
            return np.empty((len(self), 0), dtype=np.int8)
        array: IntArray = self._read("votes")
        return array

    @property
    def weak_proba(self) -> FloatArray:
        """(n, k)."""
        array: FloatArray = self._read("weak_proba")
        return array

    @property
    def labels(self) -> IntArray:
        """(l,), empty where none are known."""
        if not self.has("labels"):
            return np.empty(0, dtype=np.int64)
        array: IntArray = self._read("labels")
        return array

    @property
    def labeled_embedding(self) -> Matrix:
        """(l, d), or None where nothing is labeled."""
        return self._read("labeled_embedding") if self.has("labeled_embedding") else None

    @property
    def cv_errors(self) -> BoolArray:
        """(l,), empty where nothing was cross-validated."""
        if not self.has("cv_errors"):
            return np.zeros(0, dtype=bool)
        array: BoolArray = self._read("cv_errors")
        return array

    @property
    def open_embedding(self) -> Matrix:
        """(o, d), or None where nothing is open."""
        return self._read("open_embedding") if self.has("open_embedding") else None

    @property
    def mask(self) -> BoolArray:
        """(n,)."""
        array: BoolArray = self._read("mask")
        return array

    def region(self, name: str) -> BoolArray:
        """(n,) the mask of that name."""
        if name not in self._regions:
            known = ", ".join(sorted(self._regions)) or "none"
            raise ValueError(f"Unknown region {name!r} (known: {known}). Pass Pool(regions={{{name!r}: mask}}).")
        value = self._regions[name]
        mask = np.asarray(value() if callable(value) else value, dtype=bool)
        if mask.shape != (len(self),):
            raise ValueError(f"Region {name!r} has shape {mask.shape}, expected ({len(self)},).")
        return mask

    @property
    def rewards(self) -> Sequence[Any]:
        """What became of earlier picks, oldest first."""
        if not self.has("rewards"):
            return ()
        outcomes: Sequence[Any] = self._read("rewards")
        return outcomes

    @property
    def group(self) -> IntArray | None:
        """(n,) near-duplicate groups, -1 for none; or None."""
        return self._read("group") if self.has("group") else None

    @property
    def open_group(self) -> IntArray:
        """(o,) groups of what was asked and not answered yet."""
        if not self.has("open_group"):
            return np.empty(0, dtype=np.int64)
        array: IntArray = self._read("open_group")
        return array

    @property
    def classes(self) -> int:
        """K, the number of classes."""
        if self._classes is not None:
            return self._classes
        for name in ("proba", "weak_proba", "committee"):
            if self.has(name):
                return int(self._read(name).shape[-1])
        if self.has("mc_proba"):
            return int(self.mc(1).shape[-1])
        return max(int(self.labels.max(initial=-1)), int(self.votes.max(initial=-1))) + 1

    @cached_property
    def key(self) -> npt.NDArray[Any]:
        """(n,) item ids."""
        return np.arange(len(self)) if self._key is None else self._key

    @cached_property
    def rank(self) -> IntArray:
        """(n,) place of each item in the order of the keys."""
        if self._key is None:
            return np.arange(len(self))
        rank = np.empty(len(self), dtype=np.int64)
        rank[np.argsort(self._key, kind="stable")] = np.arange(len(self))
        return rank

    def take(self, index: npt.ArrayLike) -> Pool:
        """A pool of some of the items, as lazy as this one.

        Examples
        --------
        >>> Pool(proba=np.eye(3)).take([2, 0]).key
        array([2, 0])
        """
        rows = np.asarray(index)
        if rows.dtype == bool:
            rows = np.flatnonzero(rows)

        def rowwise(name: str) -> Lazy:
            given = self._given[name]
            if given is None or name not in _ITEM_AXIS:
                return given
            if name == "mc_proba":
                return lambda samples: self.mc(samples)[:, rows]
            return lambda: self._read(name)[:, rows] if _ITEM_AXIS[name] == 1 else self._read(name)[rows]

        regions = {name: (lambda name=name: self.region(name)[rows]) for name in self._regions}
        arrays = {name: rowwise(name) for name in self._given}
        return Pool(**arrays, regions=regions, key=self.key[rows], classes=self._classes)
