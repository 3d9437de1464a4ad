"""What people said of the same items, in data sets of which the truth is known."""

import polars as pl
import pytest

from labeling import Project

PROVED = 20
"""Answers that tell how often somebody is right to within a tenth or so."""


@pytest.fixture(params=[("rte", 0.92), ("bluebird", 0.86), ("dog", 0.83)], ids=lambda row: row[0])
def crowd(request, shared_data, tmp_path):
    """A project with a crowd's answers; these, the truth, and which share of the labels is to be right."""
    name, wanted = request.param
    votes, gold = (pl.read_parquet(shared_data / f"crowd/{name}_{part}.parquet") for part in ("votes", "gold"))
    project = Project.create(name, sorted(gold["gold"].unique()), storage=f"sqlite:///{tmp_path / 'crowd.db'}")
    project.add_items(gold.select("item", text=pl.lit("item ") + pl.col("item")), text="text", id="item")
    report = project.add_annotations(votes, id="item")
    assert (report.added, report.unknown, dict(report.refused)) == (votes.height, 0, {})
    return project, votes, gold, wanted


def by_heads(votes, gold):
    """Return the share of items whose most frequent answer is right, ties drawn by lot."""
    ahead = votes.group_by("item", "label").len().filter(pl.col("len") == pl.col("len").max().over("item"))
    chance = ahead.join(gold, on="item").group_by("item").agg((pl.col("label") == pl.col("gold")).mean())
    return chance["label"].mean()


def test_labels_of_a_crowd_are_right_and_who_errs_is_told(crowd):
    project, votes, gold, wanted = crowd
    ids = project.items().select("item_id", "item")
    found = project.labels("human").join(ids, on="item_id").join(gold, on="item")
    assert found.height == gold.height
    share = (found["label"].cast(pl.String) == found["gold"]).mean()
    assert share >= wanted
    assert share > by_heads(votes, gold)
    right = (pl.col("label") == pl.col("gold")).mean().alias("right")
    truth = votes.join(gold, on="item").group_by("annotator").agg(right)
    people = project.annotators().join(truth, on="annotator")
    assert people.height == truth.height
    assert people["answers"].sum() == votes.height
    assert people.select(pl.corr("estimated_accuracy", "right")).item() > 0.4
    proved = people.filter(pl.col("answers") >= PROVED)
    assert proved.select(pl.corr("estimated_accuracy", "right")).item() > 0.8
