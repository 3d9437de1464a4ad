"""What a project holds, each part built from its store alone."""

import polars as pl
import pytest

from labeling import MajorityVote, keyword
from labeling.project.items import ProjectItems
from labeling.project.rules import ProjectRules
from labeling.store.filters import Filters
from labeling.weak_labels.run import newest_run


def test_items_are_imported_found_and_held_out(store):
    items = ProjectItems(store)
    report = items.add(
        pl.DataFrame({"text": ["one more"]}),
        {"text": "text", "id": None, "gold": None, "group": None, "image": None},
        (),
        {},
        add_labels=False,
        hidden=None,
        holdout=None,
        progress=False,
    )
    assert (report.added, items.imports().height) == (1, 2)
    assert items.one(13)["text"] == "one more"
    found, many = items.search("MORE", 0, 10)
    assert (found["item_id"].to_list(), many) == ([13], 1)
    assert items.set_holdout(0.5, seed=1) == 6
    assert items.undo(report.import_id).items == 1
    with pytest.raises(LookupError, match="no item 13"):
        items.one(13)


def test_rules_vote_and_a_run_is_kept(store):
    store.functions.add([keyword("insult", ["idiot"], "offensive")], store.label_set)
    rules = ProjectRules(store)
    assert rules.newest_run() is None
    preview = rules.preview_run(MajorityVote())
    run = rules.run(MajorityVote())
    assert run.frame().equals(preview.frame())
    assert (rules.weak_run().number, rules.newest_run().number, rules.runs().height) == (1, 1, 1)
    check = run.check(3, seed=1)
    assert [each.loop.name for each in rules.weak_run().checks()] == [check.loop.name]
    with pytest.raises(RuntimeError, match="as the project hands it out"):
        newest_run(store).__class__(store, store.ledger.functions.weak_runs()[0]).check()


def test_filters_are_kept_by_name(store):
    filters = Filters(store)
    filters.save("insults", keyword("insults", ["idiot"], "any"))
    assert [each.name for each in filters.all()] == ["insults"]
    assert filters.items("insults").height == 4
    filters.remove("insults")
    with pytest.raises(LookupError, match="no filter 'insults'"):
        filters.items("insults")
