"""What labeling functions do and how good they are, beyond the table of ``LabelMatrix.summary()``.

Everything takes a label matrix and gives a frame. Gold is the development gold
of the matrix: that of hold-out items is never in it.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from labeling.arrays import NO_VOTE, BoolArray, FloatArray, IntArray
from labeling.functions.base import listed
from labeling.votes.label_models.majority_vote import expert_columns, expert_votes
from labeling.votes.matrix import LabelMatrix

CONFIDENCE_95 = 1.959964
REDUNDANT = 0.9


def wilson(
    correct: IntArray | FloatArray, total: IntArray | FloatArray, z: float = CONFIDENCE_95
) -> tuple[FloatArray, FloatArray]:
    """Interval of a share: right with few observations, and at 0 and 1.

    Parameters
    ----------
    correct, total
        Counts, equal shapes; with a total of 0 the interval is all of [0, 1].
    z
        Width in standard deviations; 1.96 for 95 %.

    References
    ----------
    Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22.

    Examples
    --------
    >>> [bound.round(3) for bound in wilson(np.array([9]), np.array([10]))]
    [array([0.596]), array([0.982])]
    """
    n = np.asarray(total, dtype=np.float64)
    share = np.divide(correct, n, out=np.full(n.shape, 0.5), where=n > 0)
    center = n * share + z**2 / 2
    spread = z * np.sqrt(n * share * (1 - share) + z**2 / 4)
    low, high = ((center + sign * spread) / (n + z**2) for sign in (-1, 1))
    return np.where(n > 0, np.maximum(low, 0.0), 0.0), np.where(n > 0, np.minimum(high, 1.0), 1.0)


def function_accuracy(matrix: LabelMatrix, proba: FloatArray | None = None) -> pl.DataFrame:
    """Accuracy of each source: on gold, with its 95 % interval, and as the weak labels estimate it.

    Parameters
    ----------
    matrix
        Votes, with gold where it is known.
    proba
        Class probabilities from a label model, shape (n, k).

    Returns
    -------
    polars.DataFrame
        ``function, expert, votes, judged`` (votes on items with gold), ``accuracy, low, high`` (null without any),
        ``estimated``: the mean probability of what it voted for, null without ``proba``.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0], [0], [1], [-1]], labels=["a", "b"], gold=[0, 1, 1, 0])
    >>> function_accuracy(matrix).select("votes", "judged", "accuracy").row(0)
    (3, 3, 0.6666666666666666)
    """
    gold = np.full(len(matrix), NO_VOTE) if matrix.gold is None else matrix.gold
    rows = []
    for source, column in zip(matrix.sources, matrix.values.T, strict=True):
        voted = column != NO_VOTE
        judged = voted & (gold != NO_VOTE)
        total, correct = int(judged.sum()), int((judged & (column == gold)).sum())
        low, high = wilson(np.array([correct]), np.array([total]))
        estimated = None
        if proba is not None and voted.any():
            estimated = float(proba[voted, column[voted].astype(np.int64)].mean())
        known = {"accuracy": correct / total, "low": float(low[0]), "high": float(high[0])} if total else {}
        rows.append(
            {
                "function": source.name,
                "expert": source.expert,
                "votes": int(voted.sum()),
                "judged": total,
                "accuracy": None,
                "low": None,
                "high": None,
                **known,
                "estimated": estimated,
            }
        )
    counts = dict.fromkeys(("votes", "judged"), pl.Int64)
    shares = dict.fromkeys(("accuracy", "low", "high", "estimated"), pl.Float64)
    return pl.DataFrame(rows, schema={"function": pl.String, "expert": pl.String, **counts, **shares})


def function_agreement(matrix: LabelMatrix) -> pl.DataFrame:
    """Pairs of sources that vote on the same items, the most alike first.

    Returns
    -------
    polars.DataFrame
        ``first, second, both`` (items that both vote on), ``agreement`` (share of those with the same vote),
        ``overlap`` (items that both vote on, of those that either does), ``redundant``: one could go, as they vote
        nearly alike on nearly the same items.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0, 0], [1, 1], [-1, 0]], labels=["a", "b"])
    >>> function_agreement(matrix).row(0)
    ('function_1', 'function_2', 2, 1.0, 0.6666666666666666, False)
    """
    patterns = matrix.patterns
    present = (patterns.values != NO_VOTE).astype(np.float64)
    weighted = present * patterns.counts[:, None]
    both = present.T @ weighted
    same = np.zeros_like(both)
    for position in range(patterns.k):
        says = (patterns.values == position).astype(np.float64)
        same += says.T @ (says * patterns.counts[:, None])
    first, second = np.nonzero(np.triu(both > 0, k=1))
    votes = np.diag(both)
    together = both[first, second]
    names = pl.Series([source.name for source in matrix.sources], dtype=pl.String)
    frame = pl.DataFrame(
        {
            "first": names.gather(first),
            "second": names.gather(second),
            "both": together.astype(np.int64),
            "agreement": same[first, second] / together,
            "overlap": together / (votes[first] + votes[second] - together),
        }
    )
    alike = (pl.col("agreement") >= REDUNDANT) & (pl.col("overlap") >= REDUNDANT)
    return frame.with_columns(redundant=alike).sort(
        pl.col("agreement") * pl.col("overlap"), "first", "second", descending=[True, False, False]
    )


def expert_conflicts(matrix: LabelMatrix) -> pl.DataFrame:
    """Who contradicts whom: pairs of experts, each with the majority of its functions.

    Returns
    -------
    polars.DataFrame
        ``first, second, both`` (items that both decide), ``conflicts`` (with different classes), ``share``; the most
        conflicts first.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0, 1], [1, 1]], labels=["a", "b"], experts=["ann", "bob"])
    >>> expert_conflicts(matrix).row(0)
    ('ann', 'bob', 2, 1, 0.5)
    """
    names = [name for _, name in expert_columns(matrix.sources)]
    experts = LabelMatrix.from_votes(expert_votes(matrix), matrix.labels, names=[f"{i}" for i in range(len(names))])
    pairs = function_agreement(experts)
    named = pl.Series(names, dtype=pl.String)
    return pl.DataFrame(
        {
            "first": named.gather(pairs["first"].cast(pl.Int64)),
            "second": named.gather(pairs["second"].cast(pl.Int64)),
            "both": pairs["both"],
            "conflicts": (pairs["both"] * (1 - pairs["agreement"])).round(0).cast(pl.Int64),
            "share": 1 - pairs["agreement"],
        }
    ).sort("conflicts", "first", "second", descending=[True, False, False])


def examples(matrix: LabelMatrix, function: str, *, right: bool, n: int = 10, seed: int = 0) -> pl.DataFrame:
    """Items that one function got right, or wrong, as far as gold tells: a seeded sample.

    Returns
    -------
    polars.DataFrame
        ``item_id, vote, gold``.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0], [0]], labels=["a", "b"], item_ids=[7, 8], gold=[0, 1])
    >>> examples(matrix, "function_1", right=False).row(0)
    (8, 'a', 'b')
    """
    names = [source.name for source in matrix.sources]
    if function not in names:
        raise KeyError(f"No function {function!r} in the matrix. Known: {listed(names)}.")
    column = matrix.values[:, names.index(function)]
    gold = np.full(len(matrix), NO_VOTE) if matrix.gold is None else matrix.gold
    rows = np.flatnonzero((column != NO_VOTE) & (gold != NO_VOTE) & ((column == gold) == right))
    chosen = np.sort(np.random.default_rng(seed).choice(rows, min(n, len(rows)), replace=False))
    labels = pl.Series(matrix.labels, dtype=pl.String)
    return pl.DataFrame(
        {
            "item_id": matrix.item_ids[chosen],
            "vote": labels.gather(column[chosen].astype(np.int64)),
            "gold": labels.gather(gold[chosen].astype(np.int64)),
        }
    )


def coverage_accuracy(proba: FloatArray, gold: IntArray, covered: BoolArray | None = None) -> pl.DataFrame:
    """What a threshold on the probability costs and brings: accuracy of the labels kept, and how many are kept.

    Parameters
    ----------
    proba
        Class probabilities, shape (n, k).
    gold
        Known class positions, shape (n,), -1 unknown.
    covered
        Which items have a label at all, shape (n,); None: all.

    Returns
    -------
    polars.DataFrame
        A row a threshold, ascending: ``threshold``, ``coverage`` (share of all items kept), ``judged``, ``accuracy,
        low, high`` on those with gold.

    Examples
    --------
    >>> curve = coverage_accuracy(np.array([[0.9, 0.1], [0.4, 0.6]]), np.array([0, 0]))
    >>> curve.select("threshold", "coverage", "accuracy").rows()
    [(0.6, 1.0, 0.5), (0.9, 0.5, 1.0)]
    """
    kept = np.ones(len(proba), dtype=bool) if covered is None else covered
    confidence = np.where(kept, proba.max(axis=1), -1.0).round(6)
    correct = (proba.argmax(axis=1) == gold) & (gold != NO_VOTE)
    order = np.argsort(-confidence, kind="stable")
    order = order[confidence[order] >= 0]
    if not len(order):
        return pl.DataFrame(schema=_CURVE)
    ranked = confidence[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    judged = (gold[order] != NO_VOTE).cumsum()[last]
    right = correct[order].cumsum()[last]
    low, high = wilson(right, judged)
    frame = pl.DataFrame(
        {
            "threshold": ranked[last],
            "coverage": (last + 1) / len(proba),
            "judged": judged,
            "accuracy": np.divide(right, judged, out=np.full(len(last), np.nan), where=judged > 0),
            "low": low,
            "high": high,
        },
        schema=_CURVE,
    )
    return frame.with_columns(pl.col("accuracy").fill_nan(None)).reverse()


_CURVE: dict[str, type[pl.DataType]] = {
    "threshold": pl.Float64,
    "coverage": pl.Float64,
    "judged": pl.Int64,
    "accuracy": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def uncovered(matrix: LabelMatrix, texts: Sequence[str | None] | pl.Series, *, groups: int = 20) -> pl.DataFrame:
    """Items that no source votes on, by the words that they share more than other items do.

    Parameters
    ----------
    matrix
        Votes, n items.
    texts
        Their texts, in the same order.
    groups
        How many words to show.

    Returns
    -------
    polars.DataFrame
        ``word, items`` (without votes that hold it), ``share`` (of all without votes), ``lift`` (how many times more
        often than with votes), ``example`` (item id); each group leaves out the items of those before it.

    Examples
    --------
    >>> matrix = LabelMatrix.from_votes([[0], [-1], [-1]], labels=["a", "b"])
    >>> uncovered(matrix, ["a cat", "a dog", "the dog"]).select("word", "items").row(0)
    ('dog', 2)
    """
    silent = matrix.votes_per_item == 0
    words = word_rows(pl.Series(texts, dtype=pl.String))
    words = words.with_columns(silent=pl.Series(silent).gather(words["row"]))
    counts = words.group_by("word").agg(pl.col("silent").sum().alias("in"), (~pl.col("silent")).sum().alias("out"))
    lift = ((pl.col("in") + 1) / (silent.sum() + 2)) / ((pl.col("out") + 1) / ((~silent).sum() + 2))
    # Many items that others do not resemble: the count times the logarithm of the lift.
    ranked = counts.with_columns(lift=lift).filter(pl.col("in") > 1, pl.col("lift") > 1)
    ranked = ranked.sort(pl.col("in") * pl.col("lift").log(), "word", descending=[True, False]).head(10 * groups)
    left = words.filter("silent")
    rows: list[tuple[str, int, float, float, str]] = []
    for word, gain in ranked.select("word", "lift").iter_rows():
        held = left.filter(pl.col("word") == word)["row"]
        if len(held) > 1 and len(rows) < groups:
            example = matrix.item_ids[int(held[0])]
            rows.append((word, len(held), len(held) / max(int(silent.sum()), 1), gain, str(example)))
            left = left.filter(~pl.col("row").is_in(held.implode()))
    return pl.DataFrame(
        rows,
        schema={"word": pl.String, "items": pl.Int64, "share": pl.Float64, "lift": pl.Float64, "example": pl.String},
        orient="row",
    )


def word_rows(texts: pl.Series, *, longest: int = 1) -> pl.DataFrame:
    """Words of each text, and phrases up to a length, once a text: ``row, word``, in lower case.

    Examples
    --------
    >>> word_rows(pl.Series(["a big CAT"]), longest=2).sort("word")["word"].to_list()
    ['a', 'a big', 'big', 'big cat', 'cat']
    """
    words = (
        pl.DataFrame({"text": texts})
        .with_row_index("row")
        .with_columns(pl.col("text").fill_null("").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}_'+#@]+"))
    )
    lists = words.select("row", word=pl.col("text")).explode("word").drop_nulls()
    parts = [lists]
    phrase = pl.col("word")
    for length in range(1, longest):
        phrase = phrase + " " + pl.col("word").shift(-length).over("row")
        parts.append(lists.select("row", phrase).drop_nulls())
    return pl.concat(parts).unique(maintain_order=True)


def krippendorff_alpha(matrix: LabelMatrix) -> float:
    """Agreement between annotators beyond chance: 1 perfect, 0 as by chance; nan where nobody answered the same item.

    References
    ----------
    Krippendorff (2011). Computing Krippendorff's alpha-reliability.

    Examples
    --------
    >>> krippendorff_alpha(LabelMatrix.from_votes([[0, 0], [1, 1], [0, -1]], labels=["a", "b"]))
    1.0
    """
    patterns = matrix.patterns
    counts, total = patterns.class_counts.astype(np.float64), patterns.class_counts.sum(axis=1)
    several = total > 1
    counts, total, weight = counts[several], total[several], patterns.counts[several]
    pairs = (counts.T * (weight / (total - 1))) @ counts - np.diag((weight / (total - 1)) @ counts)
    by_class = pairs.sum(axis=1)
    n = by_class.sum()
    chance = n**2 - (by_class**2).sum()
    if n <= 1 or chance <= 0:
        return 1.0 if n > 1 else float("nan")
    return float(1 - (n - 1) * (n - np.trace(pairs)) / chance)
