"""Whatever a row says of its label, its distribution says too; who labels an item follows from what is measured."""

import json

import numpy as np
import polars as pl
import pytest
from sqlalchemy import delete

from labeling import LabelBudget, MajorityVote, Project, TextClassifier, keyword
from labeling.labels.tempering import least, led_by, tempered
from storage import tables
from strategies import Random

LABELS = ["ok", "bad"]
READ = {"csv": pl.read_csv, "jsonl": pl.read_ndjson, "parquet": pl.read_parquet}


def posts(n, classes=LABELS):
    """n posts that say their class, some misleadingly."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(n):
        truth = classes[number % len(classes)]
        said = truth if rng.random() < 0.85 else classes[int(rng.integers(len(classes)))]
        words = " ".join(rng.choice(["sun", "rain", "tea", "bread", "train", "book"], 3))
        rows.append({"text": f"{words} {said}word {number}", "truth": truth})
    return pl.DataFrame(rows)


def project_of(url, n=120, classes=LABELS, answers=40, otherwise=None, gold=False):
    """A project with a rule a class, a weak run, and a loop with answers."""
    project = Project.create("p", classes, storage=url)
    frame = posts(n, classes)
    project.add_items(frame if gold else frame.drop("truth"), gold="truth" if gold else None)
    rules = [keyword(f"says {name}", [f"{name}word"], label=name) for name in classes[1:]]
    # One rule that is wrong here and there, so that votes conflict.
    project.add_functions([*rules, keyword("sun", ["sun"], label=classes[0])])
    project.weak_label(MajorityVote(otherwise=otherwise))
    if answers:
        answer(project, answers, n, classes)
    return project


def answer(project, count, n, classes=LABELS, name="l", people=("ann",)):
    truth = dict(enumerate(posts(n, classes)["truth"], start=1))
    loop = project.pool_loop(
        name, strategy=Random(), classifier=TextClassifier(), batch_size=20, seed=1, stop=[LabelBudget(count)]
    )
    while not loop.done:
        for query in loop.ask("ann"):
            for person in people:
                loop.tell(query, truth[query.item_id], annotator=person)
        loop.refit()
    return loop


def assert_consistent(frame, column="probabilities"):
    """Likeliest class, largest number and sum of each row's distribution fit its label and confidence."""
    assert frame.height
    for row in frame.iter_rows(named=True):
        shares = json.loads(row[column]) if isinstance(row[column], str) else row[column]
        if row["label"] is None:
            assert row["confidence"] is None
            assert shares is None
            continue
        assert max(shares, key=shares.get) == row["label"]
        assert max(shares.values()) == pytest.approx(row["confidence"], abs=1e-6)
        assert sum(shares.values()) == pytest.approx(1, abs=1e-6)
        assert row["confidence"] >= 1 / len(shares)


@pytest.mark.parametrize("classes", [LABELS, ["ok", "bad", "odd", "other"]], ids=["two", "four"])
@pytest.mark.parametrize("otherwise", [None, "ok"])
def test_every_way_to_ask_for_labels_keeps_distribution_and_label_together(storage_url, classes, otherwise):
    project = project_of(storage_url, classes=classes, otherwise=otherwise, gold=True)
    for source in ("human", "weak", "model", "gold"):
        assert_consistent(project.labels(source))
        assert set(project.labels(source)["source"]) == {source}
    for order in (None, ["human", "weak", "model"], ["model"], ["weak", "human"], ["human", "model", "weak"]):
        assert_consistent(project.labels(order=order))
    beside = project.labels(probabilities=["weak", "model"])
    for source in ("weak", "model"):
        own = beside.filter(source=source)
        assert own[f"{source}_probabilities"].to_list() == own["probabilities"].to_list()
        others = beside.select("item_id", f"{source}_probabilities").join(
            project.labels(source), on="item_id", how="inner"
        )
        assert_consistent(others.rename({"probabilities": "of_the_source", f"{source}_probabilities": "probabilities"}))


@pytest.mark.parametrize("k", [2, 3, 5, 77])
@pytest.mark.parametrize("votes", [1, 4, 10, 10_000])
def test_a_distribution_is_tempered_to_any_chance_however_many_classes_are_tied(k, votes):
    rng = np.random.default_rng(k * votes)
    proba = rng.multinomial(votes, np.ones(k) / k, 500) / votes
    proba = proba.astype(np.float16).astype(np.float64)
    proba /= proba.sum(axis=1, keepdims=True)
    label = np.array([rng.choice(np.flatnonzero(row == row.max())) for row in proba])
    chance = rng.random(len(proba))
    tempered_ = tempered(led_by(proba, label), chance)
    assert tempered_.argmax(axis=1).tolist() == label.tolist()
    assert tempered_.max(axis=1) == pytest.approx(np.clip(chance, least(k), 1 - 1e-6), abs=1e-9)
    assert tempered_.sum(axis=1) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("ties", ["random", "prior"])
def test_labels_drawn_from_ties_of_three_classes_keep_their_distributions(sqlite_url, tmp_path, ties):
    classes = ["a", "b", "c"]
    project = Project.create("p", classes, storage=sqlite_url)
    texts = [f"post {n} {word}" for n in range(30) for word in ("one", "two three")]
    truth = [classes[n % 3] for n in range(60)]
    project.add_items(pl.DataFrame({"text": texts, "truth": truth}), gold="truth")
    project.add_functions([keyword(name, ["post"], label=name) for name in classes])
    project.weak_label(MajorityVote(ties=ties))
    project.export(tmp_path / "out.parquet", source="weak")
    assert_consistent(pl.read_parquet(tmp_path / "out.parquet"))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_an_export_keeps_distribution_and_label_together_and_comes_back(sqlite_url, tmp_path, kind):
    project = project_of(sqlite_url, answers=20)
    project.export(tmp_path / f"out.{kind}")
    rows = READ[kind](tmp_path / f"out.{kind}")
    assert set(rows["source"]) >= {"human", "model"}
    assert_consistent(rows)
    back = Project.create("back", LABELS, storage=sqlite_url)
    back.add_items(tmp_path / f"out.{kind}")
    known = back.labels("gold")
    assert known["label"].to_list() == project.labels()["label"].to_list()
    assert set(back.items().columns) == {"item_id", "text"}


@pytest.mark.parametrize("kind", ["out.csv", "out.jsonl", "out.parquet", "out"])
def test_the_label_of_an_export_is_known_whatever_columns_its_items_have(sqlite_url, tmp_path, kind):
    project = Project.create("p", LABELS, storage=sqlite_url)
    frame = pl.DataFrame({"text": ["good 1", "evil 1", "evil 2"], "gold": ["bad", "ok", "elsewhere"]})
    project.add_items(frame, text="text")
    project.add_functions([keyword("evil", ["evil"], label="bad"), keyword("good", ["good"], label="ok")])
    project.weak_label(MajorityVote())
    project.export(tmp_path / kind)
    back = Project.create("back", LABELS, storage=sqlite_url)
    back.add_items(tmp_path / kind)
    assert back.labels("gold")["label"].to_list() == ["ok", "bad", "bad"]
    assert back.items()["gold"].to_list() == frame["gold"].to_list()


def test_a_folder_keeps_distribution_and_label_together(sqlite_url, tmp_path):
    datasets = pytest.importorskip("datasets")
    project = project_of(sqlite_url, answers=20)
    project.export(tmp_path / "out")
    for row in datasets.load_from_disk(str(tmp_path / "out"))["train"]:
        assert int(np.argmax(row["probabilities"])) == row["label"]
        assert max(row["probabilities"]) == pytest.approx(row["confidence"], abs=1e-6)


def test_items_without_a_vote_have_no_weak_label_and_no_distribution(sqlite_url, tmp_path):
    project = project_of(sqlite_url, answers=0)
    silent = set(project.items()["item_id"]) - set(project.labels()["item_id"])
    assert silent
    assert set(project.labels()["source"]) == {"weak"}
    project.export(tmp_path / "out.parquet")
    rows = pl.read_parquet(tmp_path / "out.parquet").filter(pl.col("item_id").is_in(list(silent)))
    assert rows.select("label", "source", "confidence", "probabilities").unique().rows() == [(None,) * 4]
    beside = project.labels("model", probabilities=["weak"])
    assert beside["weak_probabilities"].null_count() == beside.height


def test_weak_labels_nobody_judged_state_what_the_label_model_does(sqlite_url):
    project = project_of(sqlite_url, answers=0)
    stated = project.newest_weak_run().frame().drop_nulls("label")
    labels = project.labels()
    assert labels["confidence"].to_list() == pytest.approx(stated["confidence"].to_list(), abs=1e-6)
    assert labels["calibrated_on"].unique().to_list() == [0]


def test_under_twenty_answers_the_chance_is_the_share_right_with_one_right_and_one_wrong(sqlite_url):
    project = project_of(sqlite_url, answers=0)
    weak = dict(project.labels("weak").select("item_id", "label").iter_rows())
    loop = project.pool_loop("l", strategy=Random(), classifier=TextClassifier(), batch_size=120, seed=1)
    queries = {query.item_id: query for query in loop.ask("ann")}
    for place, item in enumerate([*weak][:10]):
        wrong = next(label for label in LABELS if label != weak[item])
        loop.tell(queries[item], weak[item] if place < 7 else wrong)
    found = project.labels("weak")
    assert found["confidence"].to_list() == pytest.approx([8 / 12] * len(weak))
    assert found["calibrated_on"].unique().to_list() == [10]


def test_a_tie_of_people_goes_to_the_newest_among_the_classes_ahead(sqlite_url):
    project = project_of(sqlite_url, answers=0, classes=["a", "b", "c"])
    loop = project.pool_loop("l", strategy=Random(), classifier=TextClassifier(), batch_size=9)
    query = loop.ask("ann")[0]
    for person, label in enumerate("aabbc"):
        loop.tell(query, label, annotator=f"person {person}")
    human = project.labels("human")
    assert human["label"].to_list() == ["b"]
    assert human["confidence"].to_list() == pytest.approx([2 / 5], abs=1e-6)
    assert_consistent(human)


def test_weighed_people_state_their_posterior(sqlite_url):
    project = project_of(sqlite_url, answers=0)
    answer(project, 30, 120, people=("ann", "bo", "cy"))
    human = project.labels("human")
    assert human.height >= 20
    assert_consistent(human)
    assert human["confidence"].min() > 2 / 3


def test_a_class_that_only_fills_silence_gives_way_unless_the_order_says_otherwise(sqlite_url):
    project = project_of(sqlite_url, otherwise="ok")
    votes = project.label_matrix().votes_per_item
    silent = set(project.items()["item_id"].to_numpy()[votes == 0].tolist()) - set(project.labels("human")["item_id"])
    by_item = dict(project.labels().select("item_id", "source").iter_rows())
    assert {by_item[item] for item in silent} == {"model"}
    classic = dict(project.labels(order=["human", "weak", "model"]).select("item_id", "source").iter_rows())
    assert {classic[item] for item in silent} == {"weak"}


def test_the_source_with_the_higher_chance_labels_an_item(sqlite_url):
    project = project_of(sqlite_url)
    weak, model = (project.labels(source).select("item_id", "confidence") for source in ("weak", "model"))
    both = project.labels().join(weak, on="item_id", suffix="_weak").join(model, on="item_id", suffix="_model")
    both = both.filter(pl.col("source") != "human")
    assert both.height
    # Chances below that of a guess are stated as the guess's: equal there.
    for row in both.iter_rows(named=True):
        assert row["confidence"] == max(row["confidence_weak"], row["confidence_model"])


def test_what_an_order_leaves_out_is_left_out(sqlite_url):
    project = project_of(sqlite_url)
    assert set(project.labels(order=["human"])["source"]) == {"human"}
    assert set(project.labels(order=["weak"])["source"]) == {"weak"}
    assert set(project.labels(order=["model", "human"])["source"]) == {"model"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": ["human", "people"]}, "names 'people'. It lists some of human, weak, model"),
        ({"order": ["gold"]}, r"Known answers \(gold\) never resolve a label"),
        ({"order": []}, r"got \[\]"),
        ({"order": ["weak", "weak"]}, "each once"),
        ({"order": "human"}, "got 'human'"),
        ({"source": "weak", "order": ["weak"]}, "Give one of them"),
        ({"probabilities": ["human"]}, "names 'human'. It is True, False, or lists some of weak, model"),
    ],
)
def test_an_order_or_a_list_that_cannot_be_followed_is_refused(sqlite_url, arguments, message):
    project = Project.create("p", LABELS, storage=sqlite_url)
    with pytest.raises(ValueError, match=message):
        project.labels(**arguments)


def test_distributions_are_left_out_where_nobody_wants_them(sqlite_url):
    project = project_of(sqlite_url)
    plain = project.labels(probabilities=False)
    assert "probabilities" not in plain.columns
    assert plain.to_dict(as_series=False) == project.labels().select(plain.columns).to_dict(as_series=False)


def test_known_answers_of_the_hold_out_change_nothing(sqlite_url, tmp_path):
    def labels_with(name, turned):
        project = Project.create(name, LABELS, storage=sqlite_url)
        frame = posts(120)
        project.add_items(frame, gold="truth")
        project.set_holdout(0.3, seed=1)
        project.add_functions([keyword("says bad", ["badword"], label="bad"), keyword("sun", ["sun"], label="ok")])
        held = set(project.labels("gold").filter(role="holdout")["item_id"])
        if turned:
            other = {"ok": "bad", "bad": "ok"}
            truth = [
                other[label] if item in held else label for item, label in enumerate(frame["truth"].to_list(), start=1)
            ]
            project.add_items(frame.with_columns(truth=pl.Series(truth)), gold="truth")
            assert set(project.labels("gold").filter(role="holdout")["label"]) == set(LABELS)
        project.weak_label(MajorityVote())
        answer(project, 40, 120)
        return project.labels().drop("labeled_at")

    plain, turned = labels_with("plain", False), labels_with("turned", True)
    assert plain.to_dict(as_series=False) == turned.to_dict(as_series=False)


def test_the_same_version_gives_the_same_labels_in_any_process_and_trains_nothing(sqlite_url, monkeypatch):
    project = project_of(sqlite_url)
    version, first = project.version(), project.labels(probabilities=["weak", "model"])
    monkeypatch.setattr(TextClassifier, "fit", lambda *_, **__: pytest.fail("labels() trained a classifier"))
    again = Project.open("p", storage=sqlite_url)
    assert again.version() == version
    assert again.labels(probabilities=["weak", "model"]).equals(first)


def forget_distributions(project):
    """Leave refits as they were kept before there were distributions."""
    with project.ledger.unstamped() as connection:
        connection.execute(delete(tables.refit_blocks))


def test_refits_of_older_databases_of_two_classes_have_what_the_label_leaves(sqlite_url):
    project = project_of(sqlite_url)
    before = project.labels("model")
    forget_distributions(project)
    after = project.labels("model")
    assert after["label"].to_list() == before["label"].to_list()
    assert_consistent(after)
    assert after["probabilities_note"].null_count() == after.height
    assert_consistent(project.labels())


def test_refits_of_older_databases_of_more_classes_have_none_until_the_next(sqlite_url):
    classes = ["ok", "bad", "odd"]
    project = project_of(sqlite_url, classes=classes)
    forget_distributions(project)
    model = project.labels("model")
    assert model["probabilities"].null_count() == model.height
    assert model["probabilities_note"].str.contains("after the next refit").all()
    assert model["confidence"].null_count() == 0
    # A refit that has nothing new to learn from keeps what the older one did not.
    project.pool_loop("l").refit()
    assert_consistent(project.labels("model"))
    version = project.version()
    project.pool_loop("l").refit()
    assert project.version() == version


def test_a_class_that_is_added_later_has_no_share_until_something_says_so(sqlite_url):
    project = project_of(sqlite_url)
    before = project.labels("model")
    project.add_label("odd")
    for source in (None, "human", "weak", "model"):
        frame = project.labels(source)
        assert_consistent(frame)
        assert frame["probabilities"].struct.fields == [*LABELS, "odd"]
    assert project.labels("model")["label"].to_list() == before["label"].to_list()


def test_a_renamed_class_keeps_what_was_said_of_it(sqlite_url):
    project = project_of(sqlite_url)
    before = project.labels()
    project.rename_label("bad", "rude")
    after = project.labels()
    assert_consistent(after)
    assert after["label"].replace({"rude": "bad"}).to_list() == before["label"].to_list()
    assert after["confidence"].to_list() == pytest.approx(before["confidence"].to_list())


def test_counts_of_the_status_are_those_of_the_labels(sqlite_url):
    project = project_of(sqlite_url)
    status = project.status()
    for source in ("human", "weak", "model"):
        assert getattr(status, source) == project.labels(source).height


def test_items_of_an_import_that_was_taken_back_are_not_counted(sqlite_url):
    project = project_of(sqlite_url, n=30, answers=20)
    project.add_items(pl.DataFrame({"text": ["more rain badword 900", "more tea badword 901"]}))
    project.weak_label(MajorityVote())
    before = project.status().weak
    project.undo_import(project.imports()["import_id"].max())
    status = project.status()
    assert status.weak == before - 2
    assert status.weak == project.labels("weak").height


def test_a_project_without_anything_has_no_labels(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    for frame in (project.labels(), project.labels("weak"), project.labels("gold"), project.labels(order=["model"])):
        assert frame.height == 0
        assert frame["probabilities"].dtype == pl.Struct({"ok": pl.Float64, "bad": pl.Float64})
