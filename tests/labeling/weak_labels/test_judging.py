"""What is known of rules and people reaches weak labels, and what it reaches not."""

import numpy as np
import polars as pl
import pytest

from labeling import LabelBudget, MajorityVote, Project, WeightedVote, keyword, labeling_function, regex
from labeling.arrays import NO_VOTE
from labeling.store.records import FunctionNotLoaded
from strategies import Random

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(sqlite_url):
    """Sixty posts, every third offensive; "bad" names the offensive ones, "odd" is right half the time."""
    project = Project.create("p", LABELS, storage=sqlite_url)
    texts = [f"{'bad' if n % 3 == 0 else 'good'} {'odd' if n % 2 else 'even'} post {n}" for n in range(60)]
    project.add_items(pl.DataFrame({"text": texts}))
    project.add_functions(
        [
            keyword("bad", ["bad"], label="offensive"),
            keyword("good", ["good"], label="ok"),
            keyword("odd", ["odd"], label="offensive"),
        ]
    )
    return project


def truth(project):
    return {row["item_id"]: "offensive" if "bad" in row["text"] else "ok" for row in project.items().to_dicts()}


def answer(project, name, annotator, count, labels):
    loop = project.pool_loop(name, strategy=Random(), batch_size=count, seed=1, stop=[LabelBudget(count)])
    for query in loop.ask(annotator):
        loop.tell(query, labels[query.item_id])


def test_an_explanation_names_each_vote_and_the_label_without_it(project):
    run = project.weak_label(MajorityVote())
    explained = run.explain(2)  # "good odd post 1"
    assert explained.label is None
    votes = explained.votes.select("function", "vote", "label_without").rows()
    assert votes == [("good", "ok", "offensive"), ("odd", "offensive", "ok")]
    with pytest.raises(LookupError, match="no item 999"):
        run.explain(999)


def test_an_old_run_is_explained_by_the_rules_as_they_were(project):
    run = project.weak_label(MajorityVote())
    project.add_functions([keyword("odd", ["even"], label="offensive")])
    project.remove_function("good")
    assert project.weak_run(run.number).explain(2).votes["function"].to_list() == ["good", "odd"]


def test_what_people_say_reaches_label_models_and_hold_out_gold_does_not(project, sqlite_url):
    assert (project.judged_matrix().gold == NO_VOTE).all()
    answer(project, "l", "ann", 30, truth(project))
    gold = project.judged_matrix().gold
    assert (gold != NO_VOTE).sum() == 30
    known = dict(project.labels("human").select("item_id", "label").iter_rows())
    ids = project.judged_matrix().item_ids
    assert {int(i): LABELS[g] for i, g in zip(ids, gold, strict=True) if g != NO_VOTE} == known
    held = Project.create("held", LABELS, storage=sqlite_url)
    held.add_items(project.items().with_columns(label=pl.lit("ok")).drop("item_id"), gold="label")
    held.add_functions([keyword("bad", ["bad"], label="offensive")])
    held.set_holdout(0.5, seed=1)
    unknown = held.judged_matrix()
    kept_out = held.labels("gold").filter(role="holdout")["item_id"]
    assert (unknown.gold[np.isin(unknown.item_ids, kept_out)] == NO_VOTE).all()
    assert (unknown.gold != NO_VOTE).sum() == 30


def test_answers_tell_good_rules_from_bad_ones_everywhere(project):
    def right(run):
        frame = run.frame().drop_nulls("label")
        truths = truth(project)
        return sum(truths[i] == label for i, label in frame.select("item_id", "label").iter_rows())

    before = right(project.weak_label(MajorityVote()))
    answer(project, "l", "ann", 30, truth(project))
    assert right(project.weak_label(WeightedVote())) == 60 > before


def test_a_check_is_blind_and_counts_only_its_own_answers(project):
    run = project.weak_label(MajorityVote(threshold=0.5, otherwise="ok"))
    check = run.check(20)
    truths = truth(project)
    queries = check.loop.ask("ann")
    assert len(queries) == 20
    assert all(query.predicted is None and not query.probabilities for query in queries)
    assert str(check.result()) == "No answers yet."
    for query in queries:
        check.loop.tell(query, truths[query.item_id])
    result = check.result()
    weak = dict(run.frame().select("item_id", "label").iter_rows())
    assert result.correct == sum(weak[query.item_id] == truths[query.item_id] for query in queries)
    assert result.answered == 20
    assert result.low < result.accuracy < result.high
    assert run.check(20).loop.name == check.loop.name
    assert project.labels("model").is_empty()


def test_functions_are_compared_by_name_version_and_before_they_are_kept(project):
    project.add_functions([regex("bad", "bad|1$", label="offensive")])
    compared = project.compare_functions("bad@1", "bad")
    assert (compared.gained, compared.lost, compared.flipped, compared.same) == (4, 0, 0, 20)
    assert compared.examples["change"].unique().to_list() == ["gained"]
    flipped = project.compare_functions("odd", keyword("odd", ["odd"], label="ok"))
    assert (flipped.gained, flipped.lost, flipped.flipped, flipped.same) == (0, 0, 30, 0)
    with pytest.raises(ValueError, match="'bad', 'good', 'odd'"):
        project.compare_functions("baad", "bad")


def test_people_are_weighed_where_enough_of_their_answers_overlap(project):
    truths = truth(project)
    wrong = {item: "ok" if label == "offensive" else "offensive" for item, label in truths.items()}
    loop = project.pool_loop("l", strategy=Random(), batch_size=60, seed=1, stop=[LabelBudget(60)])
    queries = loop.ask("ann")
    for query in queries:
        for annotator in ("ann", "bo", "cy"):
            loop.tell(query, truths[query.item_id], annotator=annotator)
        loop.tell(query, wrong[query.item_id], annotator="dan")
    split = queries[0]
    # Two against two, and one of the two has been wrong all along.
    loop.tell(split, wrong[split.item_id], annotator="cy")
    labels = dict(project.labels("human").select("item_id", "label").iter_rows())
    assert labels == truths


def test_a_file_needs_the_code_of_every_function(project, tmp_path):
    @labeling_function(labels=["ok"])
    def short(row):
        return "ok" if len(row["text"]) < 3 else None

    project.add_functions([short])
    pl.DataFrame({"text": ["bad", "hi"]}).write_parquet(tmp_path / "posts.parquet")
    again = Project.open("p", storage=project.ledger.full_url)
    with pytest.raises(FunctionNotLoaded, match="'short'"):
        again.weak_label_file(tmp_path / "posts.parquet", MajorityVote(), tmp_path / "weak.parquet", progress=False)
    report = project.weak_label_file(
        tmp_path / "posts.parquet", MajorityVote(), tmp_path / "weak.parquet", progress=False
    )
    assert report.rows == 2
    assert pl.read_parquet(tmp_path / "weak.parquet")["label"].to_list() == ["offensive", "ok"]
