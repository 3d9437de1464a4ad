"""Posts of a community that does not exist: made from a grammar, so that the truth about each is known."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

FIRST_DAY = datetime(2026, 3, 2)  # noqa: DTZ001 - the forum's own clock
DAYS = 42
SHARES = {"ok": 0.66, "offensive": 0.22, "spam": 0.12}
SPANISH = 0.05
NEAR_DUPLICATES = 0.04
SENT_TWICE = 0.015

# How a post of each kind is put together: rules of the grammar, and how often each is taken.
SHAPES = {
    "ok": {"own": 0.42, "talk": 0.40, "tricky": 0.18},
    "offensive": {"insult_direct": 0.42, "insult_group": 0.17, "insult_quiet": 0.28, "insult_hidden": 0.13},
    "spam": {"spam_loud": 0.65, "spam_quiet": 0.35},
}
# A second sentence of the everyday kind follows, or goes before.
ASIDE = {"ok": 0.45, "offensive": 0.35, "spam": 0.12}

SLANG = {
    "you": "u", "are": "r", "your": "ur", "people": "ppl", "because": "bc", "please": "pls", "thanks": "thx",
    "really": "rly", "today": "2day", "though": "tho", "about": "abt", "going to": "gonna", "want to": "wanna",
    "don't": "dont", "what": "wat", "to be": "2b", "right": "rite", "something": "smth", "nobody": "no1",
}  # fmt: skip
EMOJI = {
    "ok": ["😂", "🙂", "👍", "🙏", "😅", "❤️", "🎉", "🤔", "☕", "🌱"],
    "offensive": ["🤡", "😂", "🙄", "💩", "🤮", "👎", "😤"],
    "spam": ["🔥", "💰", "🚀", "✅", "👉", "💯", "🎁"],
}


@dataclass(frozen=True)
class Author:
    """Somebody who writes, and how: each habit is the share of the posts, or words, that show it."""

    name: str
    lower: float
    typos: float
    slang: float
    emoji: float
    shouts: float


@cache
def grammar() -> dict[str, dict[str, list[str]]]:
    """Return the rules by topic; those of "shared" serve every topic."""
    text = Path(__file__).with_name("grammar.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def expand(rule: str, topic: str, rng: np.random.Generator) -> str:
    """Make one text of a rule.

    Examples
    --------
    >>> expand("{code}, {percent} off", "garden", np.random.default_rng(3))
    'DEAL21, 50% off'
    """
    rules = grammar()

    def fill(match: re.Match[str]) -> str:
        options = rules[topic].get(match[1]) or rules["shared"][match[1]]
        return expand(pick(options, rng), topic, rng)

    return re.sub(r"\{(\w+)\}", fill, rule)


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """Choose one of the options, all alike."""
    return options[int(rng.integers(len(options)))]


def make_posts(n: int = 3000, seed: int = 7) -> pl.DataFrame:
    """Make the posts of six weeks, oldest first.

    Parameters
    ----------
    n
        How many rows; repeated posts count.
    seed
        The same seed makes the same posts.

    Returns
    -------
    Columns id, text, author, topic, posted_at, upvotes, replies, and truth: ok, offensive or spam.
    """
    rng = np.random.default_rng(seed)
    topics = [name for name in grammar() if name != "shared"]
    authors = _authors(rng, max(20, n // 9))
    repeated, twice = round(n * NEAR_DUPLICATES), round(n * SENT_TWICE)
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    while len(rows) < n - repeated - twice:
        truth = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        author = _writer(authors, truth, rng)
        topic = pick(topics, rng)
        text = _write(truth, topic, author, rng)
        if text not in seen:
            seen.add(text)
            rows.append(_row(text, author.name, topic, truth, rng))
    # Spam is what is pasted most; the rest is quoted or sent again with a word changed.
    weights = np.array([6.0 if row["truth"] == "spam" else 1.0 for row in rows])
    originals = rng.choice(len(rows), repeated, replace=False, p=weights / weights.sum())
    for index in originals:
        source = rows[int(index)]
        truth, topic = str(source["truth"]), str(source["topic"])
        text = _altered(str(source["text"]), rng)
        rows.append(_row(text, _writer(authors, truth, rng).name, topic, truth, rng))
    rows += [dict(rows[int(index)]) for index in rng.choice(len(rows), twice, replace=False)]
    rows.sort(key=lambda row: str(row["posted_at"]))
    frame = pl.DataFrame(rows, infer_schema_length=None)
    ids = pl.Series("id", [f"p-{10_000 + 7 * index}" for index in range(n)])
    return frame.insert_column(0, ids)


def _authors(rng: np.random.Generator, count: int) -> list[Author]:
    names: set[str] = set()
    while len(names) < count:
        names.add(expand("{nick}", "cooking", rng))
    ordered = sorted(names)
    rng.shuffle(ordered)
    return [
        Author(
            name,
            lower=float(rng.beta(0.8, 1.2)),
            typos=float(rng.beta(1, 60)),
            slang=float(rng.beta(0.5, 4)),
            emoji=float(rng.beta(0.8, 4)),
            shouts=float(rng.beta(0.4, 12)),
        )
        for name in ordered
    ]


def _writer(authors: list[Author], truth: str, rng: np.random.Generator) -> Author:
    """Few write much. Spam comes from a handful of accounts, insults from a third of all."""
    share = {"ok": 1.0, "offensive": 0.35, "spam": 0.08}[truth]
    first = {"ok": 0, "offensive": len(authors) // 5, "spam": len(authors) * 9 // 10}[truth]
    count = int(len(authors) * share)
    place = int(count * rng.beta(1, 2))
    return authors[(first + place) % len(authors)]


def _write(truth: str, topic: str, author: Author, rng: np.random.Generator) -> str:
    if rng.random() < SPANISH:
        sentences = [expand("{es_" + truth + "}", topic, rng)]
        if rng.random() < 0.35:
            sentences.insert(int(rng.integers(2)), expand("{es_ok}", topic, rng))
        return _styled(sentences, truth, author, rng)
    shapes = SHAPES[truth]
    sentences = [expand("{" + str(rng.choice(list(shapes), p=list(shapes.values()))) + "}", topic, rng)]
    if rng.random() < ASIDE[truth]:
        aside = expand(pick(["{talk}", "{own}"], rng), topic, rng)
        sentences.insert(int(rng.integers(2)), aside)
    if truth != "spam":
        if rng.random() < 0.25:
            sentences[0] = f"{expand('{opener}', topic, rng)} {sentences[0]}"
        if rng.random() < 0.25:
            sentences.append(expand("{closer}", topic, rng))
    return _styled(sentences, truth, author, rng)


def _styled(sentences: list[str], truth: str, author: Author, rng: np.random.Generator) -> str:
    """Write the sentences as this author would."""
    lower = rng.random() < author.lower
    text = ""
    for sentence in sentences:
        if text and text[-1] not in ".!?":
            text += pick([". ", "! ", " - ", "... ", "\n"], rng)
        text = f"{text} {sentence}".strip() if text.endswith(tuple(".!?")) else text + sentence
    if text[-1] not in ".!?" and "example" not in text[-25:]:
        text += _ending(truth, rng)
    text = re.sub(r"\b([Aa]) (?=[aeio]|u(?!s|ni))", r"\1n ", text)
    if not lower:
        text = re.sub(r"(^|[.!?] |\n)([a-zñ])(?!ttp|ww)", lambda match: match[1] + match[2].upper(), text)
        text = re.sub(r"\bi\b(?=[ '])", "I", text)
    if rng.random() < author.slang:
        for word, short in SLANG.items():
            text = re.sub(rf"\b{word}\b", short, text, flags=re.IGNORECASE)
    text = " ".join(_mistyped(word, rng) if rng.random() < author.typos else word for word in text.split(" "))
    if rng.random() < 0.04:
        text = re.sub(r"\b(so|really|no|please|way)\b", lambda match: match[1] + match[1][-1] * 3, text, count=1)
    if rng.random() < (0.3 if truth == "spam" else author.emoji):
        text += " " + pick(EMOJI[truth], rng) * int(rng.integers(1, 4))
    loud = {"ok": 0.6, "offensive": 2.5, "spam": 3.0}[truth]
    return text.upper() if rng.random() < author.shouts * loud else text


def _ending(truth: str, rng: np.random.Generator) -> str:
    quiet = ["", ".", ".", "!", "..."]
    return pick({"ok": quiet, "offensive": [*quiet, "!!!", "!!"], "spam": ["!", "!!!", "", "."]}[truth], rng)


def _mistyped(word: str, rng: np.random.Generator) -> str:
    if len(word) < 5 or not word.isalpha():
        return word
    at = int(rng.integers(1, len(word) - 2))
    swapped = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return pick([swapped, word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]], rng)


def _altered(text: str, rng: np.random.Generator) -> str:
    """Return nearly the same text: quoted, with other numbers, or with something at its end."""
    match int(rng.integers(4)):
        case 0:
            return f"> {text}"
        case 1:
            changed = re.sub(r"\d", lambda _: str(rng.integers(10)), text)
            return changed if changed != text else f"{text} (sent again, sorry)"
        case 2:
            return f"{text.rstrip('.!')} {pick(['!!', '👆', '^^', 'pls share', '...'], rng)}"
        case _:
            return text.lower() if text != text.lower() else f"{text} :)"


def _row(text: str, author: str, topic: str, truth: str, rng: np.random.Generator) -> dict[str, object]:
    day = int(rng.integers(DAYS))
    hour = int(rng.integers(24)) if truth == "spam" else int(np.clip(rng.normal(18, 4), 6, 23))
    posted = FIRST_DAY + timedelta(days=day, hours=hour, minutes=int(rng.integers(60)), seconds=int(rng.integers(60)))
    typical = {"ok": 2.0, "offensive": 0.9, "spam": 0.3}[truth]
    shift = {"ok": 1, "offensive": 4, "spam": 3}[truth]
    return {
        "text": text,
        "author": author,
        "topic": topic,
        "posted_at": posted,
        "upvotes": int(rng.lognormal(typical, 0.9)) - int(rng.poisson(shift)),
        "replies": int(rng.poisson(3 if truth == "offensive" else 1.5)) if truth != "spam" else int(rng.poisson(0.2)),
        "truth": truth,
    }
