"""How one word may be written: with composed characters, with marks of their own, or half of each.

A Mac's file names and some keyboards part "é" into "e" and an accent; both look alike and mean the same. To
compose every text before it is searched costs ten times the search, so the words are spelled out instead.
"""

import unicodedata
from itertools import permutations

import polars as pl

_MOST_MARKS = 3


def word_pattern(word: str) -> str:
    r"""Return a regular expression (Polars') that finds a word in each of its equivalent forms.

    Examples
    --------
    >>> word_pattern("c++")
    'c\\+\\+'
    >>> ascii(word_pattern("caf\u00e9"))
    "'caf(?:\\xe9|e\\u0301)'"
    """
    if word.isascii():
        return pl.escape_regex(word)
    return "".join(
        pl.escape_regex(forms[0]) if len(forms) == 1 else f"(?:{'|'.join(map(pl.escape_regex, forms))})"
        for forms in map(equivalents, clusters(word))
    )


def clusters(word: str) -> list[str]:
    r"""Cut a word into characters as they are read, each with its marks, composed.

    Examples
    --------
    >>> [ascii(part) for part in clusters("cafe\u0301")]
    ["'c'", "'a'", "'f'", "'\\xe9'"]
    """
    parts: list[str] = []
    for mark in unicodedata.normalize("NFC", word):
        if parts and unicodedata.combining(mark):
            parts[-1] += mark
        else:
            parts.append(mark)
    return parts


def equivalents(cluster: str) -> list[str]:
    r"""Return the forms of one character that Unicode calls equivalent, composed first.

    Examples
    --------
    >>> len(equivalents("a")), len(equivalents("\u00e9")), len(equivalents("\u1ec7"))
    (1, 2, 5)
    """
    apart = unicodedata.normalize("NFD", cluster)
    base, marks = apart[:1], apart[1:]
    forms = [unicodedata.normalize("NFC", cluster), cluster, apart]
    if 0 < len(marks) <= _MOST_MARKS:
        for order in permutations(marks):
            for joined in range(len(marks) + 1):
                start = unicodedata.normalize("NFC", base + "".join(order[:joined]))
                form = start + "".join(order[joined:])
                if unicodedata.normalize("NFD", form) == apart:
                    forms.append(form)
    return list(dict.fromkeys(forms))


def fixed_part(word: str) -> str:
    r"""Return the longest run of characters that are written in one way only; empty where there is none.

    Examples
    --------
    >>> fixed_part("senate"), fixed_part("gr\u00f6\u00dfer")
    ('senate', 'ßer')
    """
    if word.isascii():
        return word
    runs = [""]
    for cluster in clusters(word):
        if len(equivalents(cluster)) == 1:
            runs[-1] += cluster
        else:
            runs.append("")
    return max(runs, key=len)
