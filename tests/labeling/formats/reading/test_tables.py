import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from labeling.formats.reading.tables import read_source

LONG_ID = "1234567890123456789"


def read(text, name="posts.csv", **options):
    return read_source(text.encode() if isinstance(text, str) else text, name=name, **options)


def test_ids_with_leading_zeros_or_19_digits_stay_text():
    table = read(f"id,text\n007,a\n{LONG_ID},b\n")
    assert table.frame["id"].to_list() == ["007", LONG_ID]


def test_19_digits_alone_stay_text():
    assert read(f"id,text\n{LONG_ID},b\n").frame["id"].to_list() == [LONG_ID]


@pytest.mark.parametrize("word", ["NA", "null", "None", "nan", "NaN", "N/A", "-", "inf", "#N/A"])
def test_words_for_nothing_stay_text(word):
    assert read(f"text,label\n{word},{word}\nhello,ok\n").frame["text"].to_list() == [word, "hello"]


@pytest.mark.parametrize("cell", ["007", "+1", "1e5", "0x10", " 1", "1,0", "1_000", "-0", "1234567890123456"])
def test_a_cell_that_is_no_plain_number_keeps_its_column_text(cell):
    column = read(f'text,n\na,1\nb,"{cell}"\n').frame["n"]
    assert column.to_list() == ["1", cell]


def test_plain_numbers_become_numbers_and_empty_cells_null():
    frame = read("text,whole,decimal,flag\na,1,0.5,true\nb,,,\nc,-20,3,false\n").frame
    assert frame["whole"].to_list() == [1, None, -20]
    assert frame["decimal"].to_list() == [0.5, None, 3.0]
    assert frame["flag"].to_list() == [True, None, False]


def test_text_of_a_decimal_column_is_what_was_written():
    table = read("text,version\na,1.10\nb,1.1\n")
    assert table.frame["version"].to_list() == [1.1, 1.1]
    assert table.text_of("version").to_list() == ["1.10", "1.1"]


def test_whole_numbers_that_pandas_made_decimal_are_whole_again_as_text():
    table = read_source(pd.DataFrame({"id": [7, None, 8]}))
    assert table.text_of("id").to_list() == ["7", None, "8"]


def test_an_empty_cell_is_null_and_a_quoted_one_is_empty_text():
    assert read('text,label\n,a\n"",b\n"x",""\n').frame.rows() == [(None, "a"), ("", "b"), ("x", "")]


def test_doubled_quotes_and_line_breaks_within_quotes():
    table = read('text,label\n"say ""hi""\r\nthere",ok\nplain,"a,b"\n')
    assert table.frame.rows() == [('say "hi"\r\nthere', "ok"), ("plain", "a,b")]
    assert table.lines.tolist() == [2, 4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end(end):
    assert read(end.join(["text,label", "hello,ok", "bye,ok"])).frame["text"].to_list() == ["hello", "bye"]


def test_rows_with_a_wrong_number_of_fields_are_rejected_by_line():
    table = read("text,label\na,ok\nb\nc,ok,extra\n\nd,ok\n")
    assert table.frame["text"].to_list() == ["a", "d"]
    assert table.lines.tolist() == [2, 6]
    assert [str(row) for row in table.rejected] == [
        "line 3: 1 fields where the header has 2",
        "line 4: 3 fields where the header has 2",
    ]


def test_a_quote_that_is_never_closed_costs_one_row_only():
    table = read('text,label\na,ok\n"b,ok\nc,ok\nd,ok\n')
    assert table.frame["text"].to_list() == ["a", "c", "d"]
    assert [(row.line, "never closed" in row.reason) for row in table.rejected] == [(3, True)]


def test_a_quote_that_closes_lines_later_by_accident_costs_one_row_only():
    table = read('text,label\n"a,ok\nb,ok\n"c",ok\nd,ok\n')
    assert table.frame["text"].to_list() == ["b", "c", "d"]
    assert [row.line for row in table.rejected] == [2]


def test_many_quotes_that_are_never_closed_end_in_reasonable_work():
    lines = [f'"{n} ""x"",ok' for n in range(3000)]
    table = read("text,label\nfine,ok\n" + "\n".join(lines) + "\nlast,ok\n")
    assert table.frame["text"].to_list() == ["fine", "last"]
    assert len(table.rejected) == 3000


def test_limit_reads_the_first_rows_only():
    table = read("text\n" + "hello\n" * 100 + '"broken', limit=20)
    assert (table.frame.height, table.rejected) == (20, [])
    assert read("text,label\na,b\n", limit=0).frame.shape == (0, 2)


@pytest.mark.parametrize("mark", [",", ";", "\t", "|", "^"])
def test_the_delimiter_is_found(mark):
    table = read(
        f"text{mark}label\nhello, you{mark}ok\nsee; me{mark}ok\n".replace(
            "hello, you", "hello" if mark == "," else "hello, you"
        )
    )
    assert table.delimiter == mark
    assert table.frame.width == 2


def test_a_delimiter_can_be_given():
    table = read("text~label\na,b~ok\nc,d~ok\n", delimiter="~")
    assert table.frame.rows() == [("a,b", "ok"), ("c,d", "ok")]
    with pytest.raises(ValueError, match="one character"):
        read("a,b\n1,2\n", delimiter="||")


def test_a_line_that_names_the_separator_is_not_data():
    table = read("sep=;\ntext;label\nhello;ok\n")
    assert table.frame.rows() == [("hello", "ok")]
    assert table.lines.tolist() == [3]


def test_a_column_of_texts_with_commas_is_one_column():
    assert read("text\nHello, you\nand, me, too\nbye\n").frame.to_dict(as_series=False) == {
        "text": ["Hello, you", "and, me, too", "bye"]
    }


def test_a_file_without_header_gets_names_and_says_so():
    table = read(b"ham\tsee you at nine then\nspam\twin a prize\nham\tok then\n", name="sms.tsv")
    assert table.frame.columns == ["column_1", "column_2"]
    assert table.frame.height == 3
    assert (table.header, table.lines.tolist()) == (False, [1, 2, 3])
    assert any("No header" in note for note in table.notes)


def test_header_can_be_given():
    assert read("alpha,beta\nc,d\n", header=False).frame.height == 2
    assert read("1,2\n3,4\n", header=True).frame.columns == ["1", "2"]


def test_quotes_in_an_unquoted_tsv_are_text():
    rows = '1\t"so he said\n2\tand" she left\n3\t"ok" then\n'
    assert read("id\ttext\n" + rows, name="posts.tsv").frame["text"].to_list() == [
        '"so he said',
        'and" she left',
        '"ok" then',
    ]


def test_a_quoted_tsv_is_unquoted():
    assert read('"id"\t"text"\n"a"\t"b\tc"\n"d"\t"e\nf"\n', name="p.tsv").frame["text"].to_list() == ["b\tc", "e\nf"]


def test_quotes_escaped_by_backslash():
    assert read('text,label\n"say \\"hi\\", you",ok\nb,ok\n').frame["text"].to_list() == ['say "hi", you', "b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_known_by_its_bytes(encoding):
    table = read("text,label\nolé 😀 привет мир,ok\nplain words here,ok\n".encode(encoding))
    assert table.frame.columns == ["text", "label"]
    assert table.frame["text"][0] == "olé 😀 привет мир"


@pytest.mark.parametrize(("encoding", "text"), [("cp1252", "“olé” €5"), ("shift_jis", "日本語"), ("koi8-r", "привет")])
def test_other_encodings_are_read_by_name(encoding, text):
    raw = f"text,label\n{text},ok\n".encode(encoding)
    assert read(raw, encoding=encoding).frame["text"].to_list() == [text]


def test_a_wrong_encoding_names_the_place_and_another_encoding():
    raw = "text,label\nhello,ok\nolé señor,ok\n".encode("cp1252")
    with pytest.raises(ValueError, match=r"byte 0xe9 at line 3, byte 3 .*encoding='cp1252'"):
        read(raw, encoding="utf-8")


def test_utf8_that_breaks_late_is_all_or_nothing():
    raw = b"text,label\n" + b"hello,ok\n" * 100_000 + b"\x81,ok\n"
    with pytest.raises(ValueError, match="line 100002"):
        read(raw)


@pytest.mark.parametrize("encoding", ["utf-9", "rot13", "base64"])
def test_an_encoding_that_is_none_is_refused(encoding):
    with pytest.raises(ValueError, match=encoding):
        read("text\nhello\n", encoding=encoding)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.csv", "empty"),
        (b"\n \n\n", "a.csv", "blank lines"),
        (b"text,label\n", "a.csv", r"header \(text, label\) and no rows"),
        (b"", "a.jsonl", "empty"),
        (b"\n\n", "a.jsonl", "no rows"),
        (b"[]", "a.json", "no rows"),
        (b"{}\n{}\n", "a.jsonl", "without any field"),
        (b"[" * 100_000, "a.json", "too deeply"),
        ("text\nhello\n".encode("utf-16")[:-1], "a.csv", "bytes are missing"),
        (b'[{"a": 1}', "a.json", "not valid JSON"),
        (b"PK\x03\x04rest", "a.xlsx", "zip archive"),
        (b"\x1f\x8b\x08", "a.csv.gz", "cut off"),
        (b"%PDF-1.4", "a.csv", "PDF"),
        (b"\x80\x04\x95x", "a.csv", "pickle"),
        (b"<!DOCTYPE html>\n<html>", "a.csv", "HTML"),
        (b"\n<html><body>404", "a.jsonl", "HTML"),
        (b"PAR1\x00\x01broken", "a.parquet", "broken Parquet"),
        (b"text\nhello\n", "a.parquet", "not a Parquet file"),
        (bytes(range(256)) * 40, "a.csv", "not text"),
        (b"oops\nnothing here\n", "a.jsonl", "None of the 2 rows"),
        (b"text,label\na\nb\nc,d,e\n", "a.csv", "None of the"),
    ],
)
def test_a_broken_file_is_refused_with_the_reason(content, name, message):
    with pytest.raises(ValueError, match=message) as caught:
        read_source(content, name=name, header=True)
    assert name in str(caught.value)


def test_a_parquet_file_cut_off_is_refused(tmp_path):
    path = tmp_path / "posts.parquet"
    pl.DataFrame({"text": ["hello"] * 1000}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match="broken Parquet"):
        read_source(path)


def test_paths_that_are_no_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="is a URL"):
        read_source("https://example.org/posts.csv")
    with pytest.raises(IsADirectoryError, match="folder"):
        read_source(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"posts\.csv"):
        read_source(tmp_path / "posts.csv")
    with pytest.raises(TypeError, match="int"):
        read_source(3)


def test_jsonl_rows_that_are_no_objects_are_rejected_by_line():
    table = read('{"text": "a", "n": 1}\n\nnope\n[1]\n{"text": "b"}\n', name="posts.jsonl")
    assert table.frame.rows() == [("a", 1), ("b", None)]
    assert table.lines.tolist() == [1, 5]
    assert [row.line for row in table.rejected] == [3, 4]


def test_json_values_keep_their_types():
    record = {"s": "007", "i": 7, "f": 0.5, "b": True, "l": [1, 2], "w": ["a"], "x": [1, 0.5], "none": None}
    frame = read(json.dumps(record), name="a.jsonl").frame
    assert frame.row(0) == ("007", 7, 0.5, True, [1, 2], ["a"], [1.0, 0.5], None)
    assert frame.dtypes[-1] == pl.String


def test_json_structures_and_mixed_columns_become_text_and_are_reported():
    lines = [{"a": {"x": 1}, "b": 1, "c": 2**70}, {"a": {"x": 2}, "b": "two", "c": 1}, {"a": None, "b": True, "c": 1}]
    table = read("\n".join(map(json.dumps, lines)), name="a.jsonl")
    assert table.frame["a"].to_list() == ['{"x": 1}', '{"x": 2}', None]
    assert table.frame["b"].to_list() == ["1", "two", "true"]
    assert table.frame["c"].to_list() == [str(2**70), "1", "1"]
    assert {note.split("'")[1] for note in table.notes} == {"a", "b", "c"}


def test_a_json_column_may_change_its_type_in_a_later_chunk():
    lines = ['{"n": 1, "t": 5}'] * 20_001 + ['{"n": 0.5, "t": "five"}', '{"late": [1]}']
    table = read("\n".join(lines), name="a.jsonl")
    assert table.frame["n"].to_list()[-3:] == [1.0, 0.5, None]
    assert table.frame["t"].to_list()[-3:] == ["5", "five", None]
    assert table.frame["late"].to_list()[-2:] == [None, [1]]


def test_halves_of_characters_in_json_are_replaced():
    assert read('{"text": "a\\ud800b"}', name="a.jsonl").frame["text"].to_list() == ["a\ufffdb"]


def test_halves_of_characters_in_json_names_are_replaced():
    assert read('{"a\\ud800": 1}', name="a.jsonl").frame.columns == ["a\ufffd"]


def test_a_list_of_dicts_is_read():
    table = read_source([{"text": "a", "n": 1}, "no dict", {"text": "b"}])
    assert (table.frame.rows(), table.lines.tolist()) == ([("a", 1), ("b", None)], [1, 3])
    assert [row.line for row in table.rejected] == [2]


def test_a_json_array_of_objects_is_read():
    assert read('[{"text": "a"},\n {"text": "b"}]', name="a.json").frame["text"].to_list() == ["a", "b"]


def test_names_are_made_unique_and_reported():
    table = read('text,text,,item_id,"a\tb"\n1 x,2,3,4,5\n')
    assert table.frame.columns == ["text", "text_2", "column_3", "item_id_2", "a b"]
    assert table.renamed == {"text": "text_2", "(column 3)": "column_3", "item_id": "item_id_2", "a\tb": "a b"}


def test_a_name_made_up_never_takes_a_name_that_is_there():
    assert read("text,text,text_2\n1 x,2,3\n").frame.columns == ["text", "text_3", "text_2"]


def test_parquet_is_known_by_its_bytes_whatever_its_name():
    content = io.BytesIO()
    pl.DataFrame({"text": ["a", "b"], "n": pl.Series([1, 2], dtype=pl.UInt8)}).write_parquet(content)
    table = read(content.getvalue(), name="posts.csv")
    assert (table.format, table.frame.rows(), table.lines.tolist()) == ("parquet", [("a", 1), ("b", 2)], [1, 2])
    assert read(content.getvalue(), limit=1).frame.height == 1


def test_an_open_file_is_read_under_its_name(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("text,label\nhello,ok\n")
    with path.open("rb") as file:
        table = read_source(file)
    assert (table.name, table.frame.height) == ("posts.csv", 1)
    assert read_source(str(path)).folder == tmp_path.resolve()


def test_an_upload_can_be_read_again():
    upload = io.BytesIO(b"text,label\nhello,ok\n")
    upload.name = "posts.csv"
    assert read_source(upload).frame.equals(read_source(upload).frame)
    assert read_source(io.StringIO("text,label\nolé,ok\n")).frame["text"].to_list() == ["olé"]


def test_pandas_frames_keep_texts_and_lose_nan():
    frame = pd.DataFrame(
        {"text": ["NA", None], "n": [1.5, np.nan], "c": pd.Categorical(["x", "y"]), "o": [{"a": 1}, 5]},
        index=pd.Index(["r1", "r2"], name="key"),
    )
    table = read_source(frame)
    assert table.frame.rows() == [("r1", "NA", 1.5, "x", '{"a": 1}'), ("r2", None, None, "y", "5")]
    assert any("'o'" in note for note in table.notes)


def test_pandas_columns_that_repeat_are_renamed():
    table = read_source(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert table.frame.rows(named=True) == [{"a": 1, "a_2": 2}]


def test_lazy_frames_are_collected_up_to_the_limit():
    assert read_source(pl.LazyFrame({"text": ["a", "b"]}), limit=1).frame.height == 1


def test_types_that_items_do_not_have_become_text_and_are_reported():
    frame = pl.DataFrame(
        {
            "s": [{"x": 1}],
            "t": pl.Series([1], dtype=pl.Time),
            "d": pl.Series([1_000_000], dtype=pl.Duration("us")),
            "u": pl.Series([2**64 - 1], dtype=pl.UInt64),
            "n": [[[1]]],
            "p": [{"q": [b"\xff"]}],
            "inf": [float("inf")],
            "null": pl.Series([None]),
            "enum": pl.Series(["a"], dtype=pl.Enum(["a"])),
            "small": pl.Series([1], dtype=pl.Int8),
            "array": pl.Series([[1, 2]], dtype=pl.Array(pl.Int16, 2)),
            "picture": [{"bytes": b"x", "path": "a.png"}],
        }
    )
    table = read_source(frame)
    kinds = dict(zip(table.frame.columns, table.frame.dtypes, strict=True))
    assert [kinds[name] for name in ("s", "t", "d", "u", "n", "p", "null", "enum")] == [pl.String] * 8
    assert table.frame["inf"].to_list() == [None]
    assert (kinds["small"], kinds["array"], kinds["picture"]) == (pl.Int64, pl.List(pl.Int64), pl.Binary)
    assert {note.split("'")[1] for note in table.notes} == {"s", "t", "d", "u", "n", "p", "inf"}


def test_a_text_holding_nul_is_kept():
    assert read(b"text,label\na\x00b,ok\nc,ok\n").frame["text"].to_list() == ["a\0b", "c"]


def test_a_table_that_only_looks_like_ours_keeps_its_apostrophes():
    assert read("text,label\n'=1,ok\n").frame["text"].to_list() == ["'=1"]
