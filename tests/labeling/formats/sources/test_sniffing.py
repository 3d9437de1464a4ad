import pytest

from labeling.formats.sources.sniffing import has_header, sniff_dialect, sniff_encoding, sniff_format


@pytest.mark.parametrize(
    "rows",
    [
        [["Timestamp", "What do you think about the new forum rules?"], ["2024/01/02 10:00", "fine by me"]],
        [["id", "text", "2019"], ["7", "hello", "3"]],
        [["Post Text"], ["hello"]],
        [["alpha", "beta"], ["c", "d"]],
        [["words", "n"], ["hello there", "3"], ["bye", "4"]],
        [["How many of these posts did you see last week?"], ["3"], ["0"]],
    ],
)
def test_the_first_row_is_a_header(rows):
    assert has_header(rows)


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "hello"], ["2", "bye"]],
        [["0.5", "question"], ["0.7", "answer"]],
        [["hello there", "ok"], ["bye", "offensive"], ["hi again", "ok"]],
        [["just a line of text here"], ["and one more"]],
        [["ok", "a text over several\nlines"], ["offensive", "b"]],
        [["-1,5%", "a"], ["2", "b"]],
    ],
)
def test_the_first_row_is_data(rows):
    assert not has_header(rows)


@pytest.mark.parametrize(
    ("sample", "mark"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n", ";"),
        ("a\tb\nx, y\tz\n", "\t"),
        ('"a","b"\n"x;y","z;w"\n', ","),
        ("text\nHello, you\nall, of, you\n", None),
        ("text,label\nbroken\nbroken\nbroken too\n", ","),
    ],
)
def test_the_delimiter_is_what_splits_rows_like_the_first(sample, mark):
    assert sniff_dialect("posts.csv", sample, None, None).delimiter == mark


def test_spaces_after_a_delimiter_may_stand_before_quotes():
    dialect = sniff_dialect("posts.csv", 'text, label\n"a, b", "ok"\nc, ok\n', None, None)
    assert (dialect.delimiter, dialect.skip_space) == (",", True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_long_texts_of_any_script_are_text(encoding):
    text = "привет мир, 日本語, olé 😀\n" * 50
    assert sniff_encoding("a.csv", ("text\n" + text).encode("utf-8")) == "utf-8"
    assert sniff_encoding("a.csv", ("plain english words\n" * 50).encode(encoding)) == encoding


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.csv", b"PAR1....", "parquet"),
        ("a.JSONL", b'{"a": 1}', "jsonl"),
        ("a", b' {"a": 1}', "jsonl"),
        ("a", b'[{"a": 1}]', "json"),
        ("a.json", b'{"a": 1}\n{"a": 2}', "jsonl"),
        ("a.tsv", b"{curly\tbraces}", "csv"),
        ("a.log", b"some words", "csv"),
    ],
)
def test_the_format_follows_from_bytes_and_name(name, head, kind):
    assert sniff_format(name, head) == kind
