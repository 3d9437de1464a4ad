"""Streams to test with: posts whose label one word tells."""

from dataclasses import replace

import numpy as np

from labeling import Project
from strategies import LeastConfidence, VariableUncertainty

LABELS = ["ok", "offensive"]
RUDE = ["idiot", "moron", "clown", "fool"]
KIND = ["morning", "flower", "music", "bread"]


def posts(n, start=0):
    """(text, label) of n posts: a word that tells, and one that does not."""
    rng = np.random.default_rng(start)
    made = []
    for i in range(start, start + n):
        label = "offensive" if rng.random() < 0.4 else "ok"
        word = rng.choice(RUDE if label == "offensive" else KIND)
        made.append((f"the {word} of day{i % 17}", label))
    return made


def turned(rows):
    """The same posts with the labels the other way round."""
    return [(text, "ok" if label == "offensive" else "offensive") for text, label in rows]


def stream_of(project, budget=None, name="live", **settings):
    return project.stream_loop(
        name, strategy=LeastConfidence(), budget=budget or VariableUncertainty(0.3), seed=3, **settings
    )


def again(project, name="live", **settings):
    """The stream as another process opens it."""
    return Project.open("p", storage=project.ledger.full_url).stream_loop(name, **settings)


def run(stream, rows, reopen=None):
    """Offer rows one by one, answer what is asked, and return the decisions."""
    made = []
    for text, label in rows:
        decision = stream.offer({"text": text})
        made.append(decision)
        if decision.asked:
            stream.tell(decision.query, label, annotator="ann")
        if reopen is not None:
            stream = reopen()
    return made


def plain(decisions):
    """What two runs must agree about."""
    return [replace(decision, query=None) for decision in decisions]


def asked_first(stream, text="the idiot"):
    decision = stream.offer({"text": text})
    assert decision.asked
    return decision


def drifts(stream):
    """(position, note) of each drift on record."""
    history = stream.history()
    found = history.filter(history["event"] == "drift")
    return list(zip(found["offered"], found["notes"].list.first(), strict=True))
