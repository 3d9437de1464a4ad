import json

import pytest

from storage import tables
from storage.schema import Id
from storage.upkeep.references import COPIED, DATABASE_WIDE, LEFT_OUT, PARENTS, TARGETS, details_moved, references

TABLES = tables.metadata.sorted_tables


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_each_id_of_a_row_names_a_table(table):
    unknown = [c.name for c in table.columns if c.type is Id and c.name != "id" and c.name not in TARGETS]
    assert unknown == [], "say in TARGETS what they name, or copies point elsewhere"


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_foreign_keys_say_the_same(table):
    said = {key.parent.name: key.column.table for key in table.foreign_keys}
    assert said.items() <= references(table).items()


@pytest.mark.parametrize("table", TABLES, ids=str)
def test_a_table_belongs_to_projects_or_says_through_what(table):
    if table is tables.projects or table.name in LEFT_OUT | DATABASE_WIDE:
        return
    assert ("project_id" in table.c) != (table.name in PARENTS)


def test_what_others_refer_to_comes_first():
    before = {tables.metadata.tables[name] for name in DATABASE_WIDE}
    for table in COPIED:
        before.add(table)
        assert {key.column.table for key in table.foreign_keys} <= before


def test_each_id_of_an_annotation_in_an_event_moves():
    drift = {"on": "error", "since": 12, "p": 0.001}
    assert json.loads(details_moved(json.dumps(drift), -2)) == {"on": "error", "since": 10, "p": 0.001}
    assert json.loads(details_moved('{"since": null, "column": "x"}', 5)) == {"since": None, "column": "x"}
    refit = {
        "ids": [0, 1],
        "since": 3,
        "upto": 9,
        "judged": [[8, True], [9, False]],
        "anchor": [70, 8, 2],
        "losses": [0.5],
    }
    moved = json.loads(details_moved(json.dumps(refit), 10))
    assert moved == refit | {"since": 13, "upto": 19, "judged": [[18, True], [19, False]], "anchor": [70, 18, 2]}
