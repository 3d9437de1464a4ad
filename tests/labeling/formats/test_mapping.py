import io

import polars as pl
import pytest
from PIL import Image

from labeling.formats.mapping import Mapping, guess_mapping, prepare_items
from labeling.formats.reading.tables import read_source

POSTS = pl.DataFrame(
    {
        "tweet_id": ["01", "02", "03"],
        "body": ["hello you", "a second post", "a third"],
        "label": ["ok", "offensive", "ok"],
        "author": ["ann", "bob", "ann"],
        "E-Mail": ["a@x", "b@x", "a@x"],
        "score": [1, 2, 3],
    }
)


def picture_bytes():
    content = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(content, "PNG")
    return content.getvalue()


def test_parts_are_guessed_from_names_and_values():
    assert guess_mapping(POSTS) == Mapping("body", "tweet_id", "label", "author", ("E-Mail",), None)


def test_without_a_known_name_the_longest_texts_are_the_text():
    frame = pl.DataFrame({"a": ["x", "y"], "b": ["a longer text", "and another"], "c": [1, 2]})
    assert guess_mapping(frame).text == "b"


def test_an_id_that_repeats_or_is_missing_is_no_id():
    assert guess_mapping(pl.DataFrame({"id": ["1", "1"], "text": ["a", "b"]})).id is None
    assert guess_mapping(pl.DataFrame({"id": ["1", None], "text": ["a", "b"]})).id is None


def test_a_frame_without_texts_has_no_text():
    assert guess_mapping(pl.DataFrame({"x": [1.5], "y": [2]})) == Mapping(gold="y")


def test_pictures_are_guessed_from_paths_or_bytes():
    assert guess_mapping(pl.DataFrame({"file": ["a.png", "b.JPG"], "text": ["a", "b"]})).image == "file"
    good = picture_bytes()
    assert guess_mapping(pl.DataFrame({"picture": [good, None]})).image == "picture"
    assert guess_mapping(pl.DataFrame({"picture": [good, good, b"broken"]})).image == "picture"


def test_bytes_that_are_no_pictures_stop_no_row():
    frame = pl.DataFrame({"text": ["a", "b", "c"], "digest": [b"\x01", None, b"\x89PNG broken"]})
    assert guess_mapping(frame).image is None
    rows = prepare_items(read_source(frame), guess_mapping(frame))
    assert rows.rejected == []
    assert rows.frame["digest"].to_list()[:2] == ["data:application/octet-stream;base64,AQ==", None]
    assert rows.notes == ["Column 'digest' holds bytes and is not mapped to image=; it became base64 text."]


def test_a_broken_picture_rejects_its_own_row():
    frame = pl.DataFrame({"text": ["a", "b", "c"], "thumb": [picture_bytes(), picture_bytes(), b"\x89PNG broken"]})
    rows = prepare_items(read_source(frame), guess_mapping(frame))
    assert [row.line for row in rows.rejected] == [3]
    assert rows.frame["text"].to_list() == ["a", "b"]
    assert guess_mapping(pl.DataFrame({"text": ["see a.png", "no"]})).image is None


def test_a_guess_always_passes_its_check():
    for frame in (POSTS, pl.DataFrame({"label": [[1.0]], "id": [b"x"]}), pl.DataFrame({"text": [b"x"], "mail": [1]})):
        guess_mapping(frame).check(frame)


def test_a_missing_column_is_named_with_the_closest_and_all():
    with pytest.raises(ValueError, match=r"no column 'labl' for gold=.*Did you mean 'label'\?.*tweet_id, body, label"):
        Mapping(gold="labl").check(POSTS)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        (Mapping(text="body", gold="body"), "one part"),
        (Mapping(private=("mail",)), "private="),
        (Mapping(text="body", private=("body",)), "cannot be private"),
        (Mapping(image="score"), "image= needs paths or bytes"),
    ],
)
def test_parts_that_cannot_be_played_are_refused(mapping, message):
    with pytest.raises(ValueError, match=message):
        mapping.check(POSTS)


def test_lists_and_bytes_are_no_text():
    with pytest.raises(ValueError, match="text= needs"):
        Mapping(text="v").check(pl.DataFrame({"v": [[1.0]]}))


def test_private_may_be_one_name():
    assert Mapping(private="author").private == ("author",)


def test_a_mapping_survives_json():
    mapping = guess_mapping(POSTS)
    assert Mapping(**mapping.to_json()) == mapping


def test_items_are_the_columns_without_id_and_gold():
    rows = prepare_items(read_source(POSTS), guess_mapping(POSTS), ["ok", "offensive"])
    assert rows.frame.columns == ["body", "author", "E-Mail", "score"]
    assert rows.id.to_list() == ["01", "02", "03"]
    assert rows.gold.to_list() == ["ok", "offensive", "ok"]
    assert rows.group.to_list() == ["ann", "bob", "ann"]


def test_numbers_in_mapped_columns_become_the_text_that_was_written():
    table = read_source(b"id,text,label\n10,1.50,0\n11,2,1\n", name="a.csv")
    rows = prepare_items(table, Mapping("text", "id", "label"), ["0", "1"])
    assert rows.frame["text"].to_list() == ["1.50", "2"]
    assert (rows.id.to_list(), rows.gold.to_list()) == (["10", "11"], ["0", "1"])


def test_gold_that_is_no_label_is_counted_and_left_out():
    table = read_source(b"text,label\na,ok\nb,OK\nc,OK\nd,\n", name="a.csv")
    rows = prepare_items(table, Mapping("text", gold="label"), ["ok"])
    assert rows.gold.to_list() == ["ok", None, None, None]
    assert rows.unknown_gold == {"OK": 2}


def test_bytes_that_are_no_picture_become_text_and_are_reported():
    rows = prepare_items(read_source(pl.DataFrame({"text": ["a"], "raw": [b"\xff"]})), Mapping(text="text"))
    assert rows.frame["raw"].to_list() == ["data:application/octet-stream;base64,/w=="]
    assert "'raw'" in rows.notes[0]
