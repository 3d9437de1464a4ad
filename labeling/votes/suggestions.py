"""Rules mined from what is known: words and phrases that tell a class, and what each would add."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray
from labeling.functions.function_words import FUNCTION_WORDS
from labeling.functions.makers import keyword
from labeling.functions.rules import TextRule
from labeling.label_names import label_position
from labeling.votes.analysis import wilson, word_rows
from labeling.votes.running import run_functions

EXAMPLES = 3
"""Texts that are shown of each."""

CANDIDATES = 300
"""Words and phrases that are tried as rules."""


@dataclass(frozen=True)
class Suggestion:
    """A rule that would help.

    Attributes
    ----------
    function
        The rule, ready to be added.
    label
        Class that it votes for.
    precision, low, high
        Share of its matches with a known class that are of its class, and the 95 % interval.
    matches
        Items with a known class that it matches.
    coverage
        Share of all items that it matches.
    added
        Share of all items that it matches and that neither a rule at hand nor an earlier suggestion does.
    examples
        Texts that it matches, with their class where it is known: one where it is wrong, if there is one, then what
        it adds.
    """

    function: TextRule
    label: str
    precision: float
    low: float
    high: float
    matches: int
    coverage: float
    added: float
    examples: tuple[tuple[str, str | None], ...] = ()


def suggest_functions(
    texts: Sequence[str | None] | pl.Series,
    gold: IntArray,
    labels: Sequence[str],
    *,
    covered: BoolArray | None = None,
    taken: Sequence[str] = (),
    n: int = 20,
    fewest: int = 5,
    longest: int = 2,
    column: str | None = None,
) -> list[Suggestion]:
    """Mine keyword rules from items whose class is known.

    A word qualifies where the lower end of its precision's interval is nearer to
    1 than to the share of its class, so that the words of a frequent class do not.
    They are chosen one after the other by how many items each would newly get
    right, and judged by those again: a word that is right only where another rule
    votes already ("her" beside an insult) adds nothing but errors. Words that
    hold sentences together are not tried, alone or beside one another.

    Parameters
    ----------
    texts
        All items, or a sample of them: coverage is measured on these.
    gold
        Known class positions, shape (n,), -1 unknown: what people answered, and development gold.
    labels
        Class names.
    covered
        Items on which a rule at hand votes, shape (n,).
    taken
        Names that are in use.
    n
        At most so many suggestions.
    fewest
        Items with a known class that a rule must match.
    longest
        Words in a phrase at most.
    column
        Column that the rules shall read; None: the text.

    Examples
    --------
    >>> texts = ["free prize now", "win a free prize", "free prize!", "free prize", "prize"] * 4 + ["see you"] * 20
    >>> found = suggest_functions(texts, np.array([1] * 20 + [0] * 20), labels=["ham", "spam"])
    >>> [(s.function.name, s.label, s.precision, s.added) for s in found]
    [('has "see"', 'ham', 1.0, 0.5), ('has "prize"', 'spam', 1.0, 0.5)]
    """
    column_texts = pl.Series("text", texts, dtype=pl.String)
    if len(column_texts) != len(gold):
        raise ValueError(f"gold has {len(gold)} entries for {len(column_texts)} texts.")
    known = np.flatnonzero(gold != NO_VOTE)
    if not len(known):
        return []
    candidates = _candidates(column_texts.gather(known), gold[known], len(labels), fewest, longest)
    names = set(taken)
    functions = [
        keyword(f'has "{word}"', [word], labels[position], column=column)
        for word, position in candidates
        if f'has "{word}"' not in names
    ]
    frame = pl.DataFrame({column or "text": column_texts})
    fires = run_functions(functions, frame, labels, text="text").values != NO_VOTE
    return [
        replace(suggestion, examples=_examples(column_texts, gold, labels, suggestion.label, places))
        for suggestion, places in _choose(functions, fires, gold, labels, covered, n, fewest)
    ]


def _candidates(texts: pl.Series, gold: IntArray, k: int, fewest: int, longest: int) -> list[tuple[str, int]]:
    """Words of one class that are surely wrong less than half as often as naming the class always, the surest first."""
    words = word_rows(texts, longest=longest)
    words = words.with_columns(gold=pl.Series(gold).gather(words["row"]))
    counts = words.group_by("word", "gold").len("right").with_columns(matches=pl.col("right").sum().over("word"))
    counts = counts.filter(pl.col("matches") >= fewest)
    low, _ = wilson(counts["right"].to_numpy(), counts["matches"].to_numpy())
    share = np.bincount(gold, minlength=k) / len(gold)
    counts = counts.with_columns(low=low).filter(pl.Series(low > (1 + share[counts["gold"].to_numpy()]) / 2))
    # Of words and phrases that match as many items as surely, the shortest says it best.
    meaningful = ~pl.col("word").str.split(" ").list.eval(pl.element().is_in(sorted(FUNCTION_WORDS))).list.all()
    best = counts.filter(meaningful).sort(
        pl.col("low") * pl.col("right"), pl.col("word").str.len_chars(), "word", descending=[True, False, False]
    )
    return [(str(word), int(position)) for word, position in best.head(CANDIDATES).select("word", "gold").iter_rows()]


def _choose(
    functions: Sequence[TextRule],
    fires: BoolArray,
    gold: IntArray,
    labels: Sequence[str],
    covered: BoolArray | None,
    n: int,
    fewest: int,
) -> list[tuple[Suggestion, IntArray]]:
    """Take the rule that newly gets most items right, then the next, until none adds any that it is right on.

    With each come the rows that it matches, those that it adds first.
    """
    known = gold != NO_VOTE
    position = np.array([label_position(function.labels[0], labels) for function in functions], dtype=np.int64)
    matches = fires[known].sum(axis=0)
    right = (fires[known] & (gold[known][:, None] == position)).sum(axis=0)
    low, high = wilson(right, matches)
    share = np.bincount(gold[known], minlength=len(labels)) / known.sum()
    open_items = np.ones(len(gold), dtype=bool) if covered is None else ~covered
    chosen: list[tuple[Suggestion, IntArray]] = []
    while len(chosen) < min(n, len(functions)):
        added = fires[open_items].sum(axis=0) * _tells(fires, gold, position, share, open_items & known, fewest)
        best = int(np.argmax(added * low))
        if not added[best]:
            break
        new = fires[:, best] & open_items
        places = np.concatenate([np.flatnonzero(new), np.flatnonzero(fires[:, best] & ~new)])
        suggestion = Suggestion(
            function=functions[best],
            label=functions[best].labels[0],
            precision=float(right[best] / matches[best]),
            low=float(low[best]),
            high=float(high[best]),
            matches=int(matches[best]),
            coverage=float(fires[:, best].mean()),
            added=float(added[best] / len(gold)),
        )
        chosen.append((suggestion, places))
        open_items &= ~fires[:, best]
    return chosen


def _tells(
    fires: BoolArray, gold: IntArray, position: IntArray, share: FloatArray, judged: BoolArray, fewest: int
) -> BoolArray:
    """Whether each rule is surely better than naming its class always, shape (m,), on the items judged, shape (n,)."""
    matches = fires[judged].sum(axis=0)
    right = (fires[judged] & (gold[judged][:, None] == position)).sum(axis=0)
    low, _ = wilson(right, matches)
    return np.asarray((matches >= fewest) & (low > (1 + share[position]) / 2))


def _examples(
    texts: pl.Series, gold: IntArray, labels: Sequence[str], label: str, places: IntArray
) -> tuple[tuple[str, str | None], ...]:
    known = gold[places] != NO_VOTE
    wrong = places[known & (gold[places] != list(labels).index(label))][:1]
    shown = [*wrong, *places[~np.isin(places, wrong)]][:EXAMPLES]
    names = [*labels, None]
    return tuple((str(texts[int(place)]), names[gold[place]]) for place in shown)
