"""Many keyword rules in one pass over the text.

An automaton (Aho and Corasick) finds every word of every rule at once; a rule's
pattern is then tried only on the rows that hold one of its words. Two hundred
rules cost little more than two.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from labeling.functions.base import LabelingFunction
from labeling.functions.rules import Keyword
from labeling.functions.word_forms import fixed_part

FEW = 4
"""Rules fewer than this are faster one by one."""
SHORT = 3
"""Words shorter than this occur nearly everywhere: looking for them first would save nothing."""


@dataclass(frozen=True)
class KeywordSearch:
    """Rules that read the same column in the same way, and the words that lead to them.

    Attributes
    ----------
    column, case_sensitive
        What they read, and how.
    rules
        Position of each rule among all functions, and its pattern.
    words
        Part of a word or phrase that must occur, and the positions of the rules that look for it.
    """

    column: str
    case_sensitive: bool
    rules: dict[int, str]
    words: dict[str, list[int]]

    def found(self) -> pl.Expr:
        """Words that occur in each row, as lists; to be computed along with other expressions."""
        return self._read().str.extract_many(list(self.words), overlapping=True)

    def matches(self, block: pl.DataFrame, found: pl.Series) -> dict[int, NDArray[np.int64]]:
        """Rows of the block where each rule holds, by the position of the rule."""
        words = pl.DataFrame({"found": found}).with_row_index("row").explode("found").drop_nulls()
        rules = pl.DataFrame(
            [(word, rule) for word, positions in self.words.items() for rule in positions],
            schema={"found": pl.String, "rule": pl.Int64},
            orient="row",
        )
        candidates = words.join(rules, on="found").select("rule", "row").unique()
        rows = candidates["row"].unique().sort()
        text = block[rows].select(self._read().alias("text"))["text"]
        matches = {}
        for (rule,), part in candidates.group_by("rule"):
            own = part["row"].sort()
            holds = text.gather(rows.search_sorted(own)).str.contains(self.rules[int(str(rule))])
            matches[int(str(rule))] = own.filter(holds).to_numpy().astype(np.int64)
        return matches

    def _read(self) -> pl.Expr:
        column = pl.col(self.column).cast(pl.String)
        return column if self.case_sensitive else column.str.to_lowercase()


def plan_keywords(functions: Sequence[LabelingFunction], text: str | None) -> list[KeywordSearch]:
    """Group the keyword rules that one pass can answer; the others stay expressions of their own."""
    groups: dict[tuple[str, bool], dict[int, Keyword]] = defaultdict(dict)
    for position, function in enumerate(functions):
        if isinstance(function, Keyword) and min(map(len, leads(function))) >= SHORT:
            groups[function.needs(text)[0], function.case_sensitive][position] = function
    searches = []
    for (column, case_sensitive), rules in groups.items():
        if len(rules) < FEW:
            continue
        words: dict[str, list[int]] = defaultdict(list)
        for position, rule in rules.items():
            for lead in dict.fromkeys(leads(rule)):
                words[lead].append(position)
        patterns = {position: rule.pattern for position, rule in rules.items()}
        searches.append(KeywordSearch(column, case_sensitive, patterns, dict(words)))
    return searches


def leads(rule: Keyword) -> list[str]:
    """Find the longest part of each word or phrase of a rule that is written in one way: where that is not, it is not.

    White space, and characters that may be written with marks of their own ("é"), end a part.

    Examples
    --------
    >>> from labeling import keyword
    >>> leads(keyword("thanks", ["Thank you", "ta"], label="ok"))
    ['thank', 'ta']
    """
    folded = pl.Series(rule.words, dtype=pl.String)
    folded = folded if rule.case_sensitive else folded.str.to_lowercase()
    return [max(map(fixed_part, word.split()), key=len) for word in folded]
