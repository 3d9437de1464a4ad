import pytest

from labeling.formats.reading.tables import read_source


def read(content, name="posts.csv", **options):
    return read_source(content, name=name, **options)


def test_what_is_not_utf8_is_read_as_windows_1252_and_a_note_says_so_with_a_line():
    table = read("text,label\nhello,ok\n“olé” señor – €5,ok\n".encode("cp1252"))
    assert table.frame["text"].to_list() == ["hello", "“olé” señor – €5"]
    assert table.encoding == "cp1252"
    assert "line 3 then reads '“olé” señor – €5,ok'" in table.notes[0]


def test_a_line_far_below_decides_too():
    table = read(b"text,label\n" + b"hello there,ok\n" * 50_000 + "Café,ok\n".encode("cp1252"), limit=10)
    assert table.encoding == "cp1252"
    assert "line 50,002" in table.notes[0]


def test_an_encoding_that_is_given_wins_and_is_not_remarked_on():
    table = read("text\nCafé\n".encode("cp1252"), encoding="latin-1")
    assert (table.frame["text"].to_list(), table.encoding, table.notes) == (["Café"], "iso8859-1", [])


def test_utf8_with_a_damaged_line_is_not_taken_for_another_encoding():
    raw = b"text\n" + "Café crème\n".encode() * 50 + b"Caf\xe9\n"
    with pytest.raises(ValueError, match="byte 0xe9 at line 52"):
        read(raw)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("shift_jis", "日本語の文章をここに書きます。とても長い文章です。"),
        ("cp1251", "Привет, мир! Это длинное предложение на русском языке."),
    ],
)
def test_another_encoding_is_named_and_not_read_as_windows_1252(encoding, text):
    with pytest.raises(ValueError, match="give encoding="):
        read(f"text\n{text}\n{text}\n".encode(encoding))


def test_json_lines_may_be_windows_1252_too():
    table = read('{"text": "Café"}\n{"text": "thé"}\n'.encode("cp1252"), name="posts.jsonl")
    assert table.frame["text"].to_list() == ["Café", "thé"]
    assert len(table.notes) == 1
