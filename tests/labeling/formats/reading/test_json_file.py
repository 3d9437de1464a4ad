import json
import re

import pytest

from labeling.formats.reading.json_file import json_records
from labeling.formats.reading.tables import read_source
from labeling.formats.sources.source_file import SourceFile


def read(text, name="posts.json"):
    return read_source(text.encode(), name=name)


ROWS = [{"text": "a", "n": 1}, {"text": "b", "n": 2}]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["posts.json", "posts", "posts.jsonl"])
def test_an_array_of_objects_is_rows_however_it_is_named(indent, name):
    table = read(json.dumps(ROWS, indent=indent), name)
    assert table.frame.rows(named=True) == ROWS


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("name", ["posts.json", "posts"])
def test_a_single_object_is_a_row(indent, name):
    assert read(json.dumps(ROWS[0], indent=indent), name).frame.rows(named=True) == [ROWS[0]]


@pytest.mark.parametrize("indent", [None, 2])
def test_an_object_around_a_list_of_objects_is_its_rows(indent):
    table = read(json.dumps({"version": 2, "data": ROWS}, indent=indent))
    assert table.frame.rows(named=True) == ROWS
    assert table.notes == ["The rows are those under 'data' in the file."]


@pytest.mark.parametrize("name", ["posts.json", "posts.jsonl", "posts"])
def test_an_array_a_line_is_refused_in_words(name):
    with pytest.raises(ValueError, match=r"posts.* holds an array a line.*\{\"text\": \"hello\"\}"):
        read('["a", 1]\n["b", 2]\n', name)


def test_an_array_among_objects_is_one_rejected_line():
    table = read('{"text": "a"}\n["b"]\n{"text": "c"}\n', "posts.jsonl")
    assert table.frame["text"].to_list() == ["a", "c"]
    assert [row.line for row in table.rejected] == [2]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([["a", 1], ["b", 2]], "array of arrays"),
        ("hello", "single JSON str"),
        ({"text": {"0": "a", "1": "b"}, "n": {"0": 1, "1": 2}}, "orient='records'"),
    ],
)
def test_json_that_names_no_rows_is_refused_in_words(value, message):
    with pytest.raises(ValueError, match=message):
        read(json.dumps(value))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[ ]",
        '[{"a": 1} ]',
        '[\n{"a": 1}\t,\r\n{"a": 2}\n]\n',
        '[{"a": "]"}, {"a": [1, 2]}]',
        "[1, null]",
    ],
)
def test_an_array_that_is_read_row_by_row_is_what_json_says(text):
    file = SourceFile("rows.json", content=text.encode())
    records, kind, notes = json_records(file, "utf-8")
    assert (kind, notes) == ("json", [])
    assert [record for _, record in records] == json.loads(text)


@pytest.mark.parametrize(
    "text", ['[{"a": 1},]', '[{"a": 1} {"a": 2}]', '[{"a": 1}] x', '[{"a": 1', "[,]", '[{"a": 1},']
)
def test_a_broken_array_is_refused_by_what_the_parser_says(text):
    with pytest.raises(json.JSONDecodeError) as said:
        json.loads(text)
    with pytest.raises(ValueError, match=re.escape(f"posts.json is not valid JSON: {said.value}")):
        read(text)


def test_an_array_of_too_many_rows_is_refused_before_its_end_is_read(monkeypatch):
    monkeypatch.setenv("LABELING_MAX_ROWS", "10_000")
    rows = ",".join(['{"a": 1}'] * 20_000)
    with pytest.raises(ValueError, match=r"20,000 rows; at most 10,000 are read"):
        read(f"[{rows}, and here it is broken")


def test_a_file_of_too_many_bytes_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", "20")
    with pytest.raises(ValueError, match=r"27 unpacked bytes; at most 20 are read"):
        read('{"data": [{"a": 1}, broken ')
