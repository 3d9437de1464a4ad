import base64
import io
import struct
import zlib

import polars as pl
import pytest
from PIL import Image

from labeling.formats.mapping import Mapping, prepare_items
from labeling.formats.reading import pictures as images
from labeling.formats.reading.pictures import check_image, read_images
from labeling.formats.reading.tables import read_source


def picture(kind="PNG", size=(4, 3)):
    content = io.BytesIO()
    Image.new("RGB", size, "red").save(content, kind)
    return content.getvalue()


def png_of_size(width, height):
    """Return a PNG of a few bytes that says it is large."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/a.png").write_bytes(picture())
    (tmp_path / "secret.png").write_bytes(picture())
    return tmp_path / "pictures"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_pictures_are_known_by_their_bytes(kind):
    assert check_image(picture(kind)) == (kind, 4, 3)


@pytest.mark.parametrize(
    "content", [b"", b"text", b"<svg onload='alert(1)'/>", b"%!PS-Adobe-3.0 EPSF-3.0", picture()[:20]]
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(ValueError, match="not a picture"):
        check_image(content)


def test_a_small_file_that_unpacks_to_a_huge_picture_is_refused():
    assert len(png_of_size(60_000, 60_000)) < 100
    with pytest.raises(ValueError, match=r"not a picture|60000 x 60000"):
        check_image(png_of_size(60_000, 60_000))
    with pytest.raises(ValueError, match="9000 x 9000"):
        check_image(png_of_size(9_000, 9_000))


def test_a_file_over_the_limit_is_refused_before_it_is_opened():
    with pytest.raises(ValueError, match="MiB"):
        check_image(b"\x89PNG" + bytes(images.LARGEST_BYTES))


def test_paths_are_read_below_the_folder_of_the_file(folder):
    column, faults = read_images(pl.Series("image", ["a.png", None]), folder)
    assert (column.to_list(), faults) == ([picture(), None], {})


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("https://example.org/a.png", "is a URL"),
        ("file:///etc/passwd", "is a URL"),
        ("../secret.png", "outside"),
        ("/etc/passwd", "outside"),
        ("gone.png", "no picture"),
        (".", "no picture"),
        ("a\0.png", "NUL"),
    ],
)
def test_paths_that_lead_elsewhere_are_rejected(folder, path, reason):
    column, faults = read_images(pl.Series("image", [path]), folder)
    assert column.to_list() == [None]
    assert reason in faults[0]


def test_a_link_out_of_the_folder_is_rejected(folder):
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    assert "outside" in read_images(pl.Series(["link.png"]), folder)[1][0]


def test_an_upload_reads_no_file_of_the_server(folder):
    assert "upload" in read_images(pl.Series([str(folder / "a.png")]), None)[1][0]


def test_bytes_written_as_text_are_taken_back():
    text = "data:image/png;base64," + base64.b64encode(picture()).decode()
    column, faults = read_images(pl.Series([text, "data:image/png;base64,?", "data:,x"]), None)
    assert column.to_list() == [picture(), None, None]
    assert "not base64" in faults[1]
    assert "not base64" in faults[2]


def test_more_pictures_than_fit_are_refused_as_a_whole(monkeypatch):
    monkeypatch.setattr(images, "LARGEST_TOTAL", 100)
    with pytest.raises(ValueError, match="in parts"):
        read_images(pl.Series([picture()] * 5), None)


def test_a_missing_picture_is_a_rejected_row_with_its_line(folder):
    path = folder / "posts.csv"
    path.write_text("image,text\na.png,hello\ngone.png,bye\n")
    rows = prepare_items(read_source(path), Mapping(text="text", image="image"))
    assert rows.frame.rows() == [(picture(), "hello")]
    assert rows.lines.to_list() == [2]
    assert [(row.line, "gone.png" in row.reason) for row in rows.rejected] == [(3, True)]
