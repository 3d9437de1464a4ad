import polars as pl
import pytest

from labeling import MajorityVote, Project, keyword

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": ["you idiot", "good morning", "stupid idiot", "thanks"]}))
    project.add_functions(
        [
            keyword("insult", ["idiot"], "offensive", expert="ann"),
            keyword("stupid", ["stupid"], "offensive", expert="bo"),
            keyword("polite", ["thanks", "morning"], "ok", expert="cy"),
        ]
    )
    return project


def test_a_run_is_kept_with_its_parameters(project):
    model = MajorityVote(by="expert", threshold=0.5, otherwise="ok")
    run = project.weak_label(model)
    opened = Project.open("p", storage=project.ledger.full_url).weak_run(1)
    assert run.frame().equals(opened.frame())
    assert opened.frame()["label"].to_list() == ["ok", "ok", "offensive", "ok"]
    assert opened.model == "MajorityVote(otherwise='ok', by='expert', threshold=0.5)"
    assert (opened.n_items, opened.labeled) == (4, 4)
    assert project.ledger.functions.weak_runs()[0].function_versions == ("insult@1", "stupid@1", "polite@1")


def test_items_without_votes_have_no_label(project):
    project.add_items(pl.DataFrame({"text": ["?"]}))
    frame = project.weak_label(MajorityVote()).frame()
    assert frame["label"].to_list() == ["offensive", "ok", "offensive", "ok", None]
    assert frame.select("confidence", "p_ok", "p_offensive").row(4) == (None, None, None)
    assert frame.select("confidence", "p_ok", "p_offensive")[:4].null_count().row(0) == (0, 0, 0)
    assert frame.columns == ["item_id", "label", "confidence", "p_ok", "p_offensive"]
    balance = project.weak_run().balance().rows()
    assert balance == [("ok", 2, 0.4, 0), ("offensive", 2, 0.4, 0), (None, 1, 0.2, 0)]


def test_what_only_fills_silence_is_counted_apart(project):
    project.add_items(pl.DataFrame({"text": ["?"]}))
    run = project.weak_label(MajorityVote(otherwise="offensive"))
    assert run.balance().rows() == [("ok", 2, 0.4, 0), ("offensive", 3, 0.6, 1), (None, 0, 0.0, 0)]
    assert run.filled()["item_id"].to_list() == run.frame()["item_id"].to_list()[-1:]
    assert (run.open, project.weak_label(MajorityVote()).open) == (1, 1)


def test_runs_count_from_one_and_an_old_one_stays_readable(project):
    first = project.weak_label(MajorityVote()).frame()
    project.remove_function("polite")
    project.weak_label(MajorityVote())
    assert project.weak_runs()["number"].to_list() == [1, 2]
    assert project.weak_run(1).frame().equals(first)
    assert project.weak_run().number == 2
    assert project.weak_run().labeled == 2
    with pytest.raises(LookupError, match="no weak run 3"):
        project.weak_run(3)


def test_a_run_survives_classes_added_and_renamed_later(project):
    project.weak_label(MajorityVote())
    project.add_label("spam")
    project.rename_label("offensive", "abusive")
    frame = Project.open("p", storage=project.ledger.full_url).weak_run().frame()
    assert frame["label"].to_list() == ["abusive", "ok", "abusive", "ok"]
    assert frame.columns[-3:] == ["p_ok", "p_abusive", "p_spam"]
    assert frame["p_spam"].to_list() == [0.0] * 4


def test_a_preview_equals_the_run_and_keeps_nothing(project):
    preview = project.preview_weak_label(MajorityVote())
    assert project.weak_runs().height == 0
    assert preview.frame().equals(project.weak_label(MajorityVote()).frame())
    assert (preview.silent, preview.conflicts, preview.abstained) == (0.0, 0.0, 0.0)


def test_without_a_run_there_is_no_newest(project):
    assert project.newest_weak_run() is None
    with pytest.raises(LookupError, match=r"Run weak_label\(\) first"):
        project.weak_run()
