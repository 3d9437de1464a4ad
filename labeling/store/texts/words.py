"""The words of texts as hashes, slice by slice where an executor runs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from labeling.arrays import IntArray
from labeling.executors import Engine, map_in_order

HashArray = npt.NDArray[np.uint64]

ROWS = 50_000
"""Texts that go to a worker at once."""

_SEED = 11

# Scripts that put no blanks between words: each sign counts as a word.
_SIGNS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORDS = rf"[{_SIGNS}]|[\w--[{_SIGNS}]]+"


def hashed_words(texts: pl.Series, executor: Engine = None) -> tuple[HashArray, IntArray]:
    """Return the hashes of all words in order, and where those of each text start; one start more than there are texts.

    Case, punctuation and addresses of web pages do not count.

    Raises
    ------
    ValueError
        A worker hashes words otherwise than this process does.

    Examples
    --------
    >>> words, starts = hashed_words(pl.Series(["Good morning", "", "good"]))
    >>> starts.tolist(), bool(words[0] == words[2])
    ([0, 2, 2, 3], True)
    """
    rows = ROWS if executor is not None else 4 * ROWS
    parts = (texts.slice(top, rows) for top in range(0, max(len(texts), 1), rows))
    words, lengths, own = [], [], _sign()
    for hashes, counts, sign in map_in_order(_of_slice, parts, executor):
        if sign != own:
            raise ValueError(
                "A worker hashes words otherwise than this process, so that equal words would differ. "
                f"Give the workers Polars {pl.__version__}, as there is here."
            )
        words.append(hashes)
        lengths.append(counts)
    return np.concatenate(words), np.concatenate([[0], np.cumsum(np.concatenate(lengths))])


def _of_slice(texts: pl.Series) -> tuple[HashArray, IntArray, int]:
    """Return the hashes of all words of some texts, how many each text has, and how this process hashes."""
    part = texts.cast(pl.String).fill_null("").str.to_lowercase()
    if part.str.contains("http", literal=True).any():
        part = part.str.replace_all(r"https?://\S+", " url ")
    lists = part.str.extract_all(_WORDS)
    counts = lists.list.len().to_numpy().astype(np.int64)
    return lists.explode(empty_as_null=False).hash(seed=_SEED).to_numpy(), counts, _sign()


def _sign() -> int:
    """Return the hash of a word: the same wherever words are hashed alike, which Polars promises of one version."""
    return int(pl.Series(["tally"]).hash(seed=_SEED)[0])
