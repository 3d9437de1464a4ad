"""Sentence embeddings by a local model as features, computed once for each text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labeling.classifiers.base import Classifier, Model
from labeling.classifiers.features.text import BoolArray, FloatArray, Matrix, texts
from labeling.classifiers.text_and_tables import TableClassifier
from labeling.extras import extra

if TYPE_CHECKING:
    import polars as pl

_BATCH = 64
_CHUNK = 4096
_WHOLE = 1 << 24


@dataclass(frozen=True)
class EmbeddingClassifier(Classifier):
    """Sentence embeddings of the text into a classifier.

    The model is one of sentence-transformers in a folder on this machine; nothing is downloaded, and no file that
    could run code is read. Each text is embedded once: in a project the vectors are kept in a file beside the
    database, by the hash of model and text.

    Attributes
    ----------
    model
        Folder of the model.
    classifier
        What is trained on the vectors.
    cache
        File for the vectors; None: beside the database of the project, outside of one nowhere.

    References
    ----------
    Reimers and Gurevych (2019). Sentence-BERT. EMNLP.

    Examples
    --------
    >>> EmbeddingClassifier("models/minilm").classifier
    TableClassifier(C=1.0, class_weight='balanced', columns=None)
    """

    model: str
    classifier: Classifier = field(default_factory=TableClassifier)
    cache: str | None = None

    @property
    def quick(self) -> bool:
        """As the classifier that is trained on the vectors; these are kept."""
        return self.classifier.quick

    def beside(self, cache: Path) -> Classifier:
        """The same, its vectors kept in a file."""
        return self if self.cache is not None else replace(self, cache=str(cache))

    def learn_features(
        self,
        frame: pl.DataFrame,
        *,
        text: str | None = None,
        learn_from: BoolArray | None = None,
    ) -> EmbeddingFeatures:
        """Nothing is learned: the vectors of a text do not depend on the others."""
        texts(frame.head(0), text)
        return EmbeddingFeatures(str(text), str(Path(self.model)), self.cache)

    def fit(self, X: Matrix, targets: FloatArray, weights: FloatArray | None = None, *, seed: int = 0) -> Model:
        """Train the classifier on (n, d) vectors and (n, k) soft targets."""
        return self.classifier.fit(X, targets, weights, seed=seed)


@dataclass(frozen=True)
class EmbeddingFeatures:
    """Sentence embeddings of a column, dense float32.

    Attributes
    ----------
    text
        The column it reads.
    model
        Folder of the model.
    cache
        File for the vectors, or None.
    """

    text: str
    model: str
    cache: str | None = None

    def transform(self, frame: pl.DataFrame) -> FloatArray:
        """(n, d) vectors of length 1; equal texts are embedded once."""
        from storage import ContentCache

        rows = texts(frame, self.text)
        said, place = np.unique(np.array(rows, dtype=object), return_inverse=True)
        mark = fingerprint(self.model)
        keys = [hashlib.blake2b(mark + str(each).encode(), digest_size=16).digest() for each in said]
        cache = None if self.cache is None else ContentCache(self.cache)
        known = {} if cache is None else cache.get(keys)
        missing = [number for number, key in enumerate(keys) if key not in known]
        for start in range(0, len(missing), _CHUNK):
            part = missing[start : start + _CHUNK]
            vectors = encode(self.model, [str(said[number]) for number in part])
            made = {keys[number]: vector.tobytes() for number, vector in zip(part, vectors, strict=True)}
            if cache is not None:
                cache.put(made)
            known |= made
        if not rows:
            return np.zeros((0, _model(self.model).get_embedding_dimension()), dtype=np.float32)
        return np.stack([np.frombuffer(known[key], dtype=np.float32) for key in keys])[place]


def encode(model: str, sentences: list[str]) -> FloatArray:
    """(n, d) float32 vectors of length 1."""
    vectors = _model(model).encode(
        sentences, batch_size=_BATCH, show_progress_bar=False, convert_to_numpy=True, normalize_embeddings=True
    )
    return np.ascontiguousarray(vectors, dtype=np.float32)


@lru_cache(maxsize=2)
def _model(model: str) -> Any:
    check_folder(model)
    package = extra("sentence_transformers", "EmbeddingClassifier")
    with quiet():
        return package.SentenceTransformer(
            model, local_files_only=True, trust_remote_code=False, model_kwargs={"use_safetensors": True}
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers from drawing bars for weights that are read in no time."""
    from transformers.utils import logging

    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def check_folder(model: str) -> None:
    """Raise where a folder holds no model that can be read safely.

    Raises
    ------
    FileNotFoundError
        There is no such folder, or no model in it.
    ValueError
        The weights are pickled: reading them could run code.
    """
    folder = Path(model)
    if not (folder / "modules.json").is_file() and not (folder / "config.json").is_file():
        raise FileNotFoundError(
            f"There is no sentence-transformers model in {model!r}: it needs modules.json or config.json. Pass the "
            "folder of a model that is on this machine; nothing is downloaded."
        )
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".bin", ".pt", ".pth", ".pkl") and not list(path.parent.glob("*.safetensors")):
            raise ValueError(
                f"{path} holds pickled weights, which can run code when they are read. Save the model as safetensors: "
                "SentenceTransformer(...).save(folder, safe_serialization=True)."
            )


@lru_cache(maxsize=8)
def fingerprint(model: str) -> bytes:
    """Return 16 bytes that change with any file of a model's folder."""
    check_folder(model)
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(Path(model).rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(model).as_posix().encode())
            with path.open("rb") as file:
                while block := file.read(_WHOLE):
                    digest.update(block)
    return digest.digest()
