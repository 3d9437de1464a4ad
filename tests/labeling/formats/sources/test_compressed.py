import gzip
import io
import tarfile
import zipfile

import pytest

from labeling.formats.reading.tables import read_source

CSV = b"text,label\nhello,ok\nbye,bad\n"


def zipped(members, **options):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, **options)
    return buffer.getvalue()


def test_a_gz_file_is_read_as_the_file_in_it():
    table = read_source(gzip.compress(CSV), name="posts.csv.gz")
    assert table.frame.rows() == [("hello", "ok"), ("bye", "bad")]
    assert (table.name, table.format) == ("posts.csv", "csv")


def test_a_zip_archive_of_one_file_is_read_as_that_file(tmp_path):
    path = tmp_path / "posts.zip"
    path.write_bytes(zipped({"folder/posts.tsv": b"text\tlabel\nhello\tok\n", "__MACOSX/folder/._posts.tsv": b"x"}))
    table = read_source(path)
    assert table.frame.rows() == [("hello", "ok")]
    assert table.name == "posts.zip/posts.tsv"


@pytest.mark.parametrize(("inner", "kind"), [("posts.jsonl", "jsonl"), ("posts.json", "json")])
def test_what_is_packed_may_be_of_any_kind(inner, kind):
    content = {"jsonl": b'{"text": "a"}\n{"text": "b"}\n', "json": b'[{"text": "a"}, {"text": "b"}]'}[kind]
    for packed in (gzip.compress(content), zipped({inner: content})):
        table = read_source(packed, name=f"{inner}.gz")
        assert (table.frame["text"].to_list(), table.format) == (["a", "b"], kind)


def test_an_archive_of_several_files_is_refused_by_their_names():
    with pytest.raises(ValueError, match=r"posts\.zip is a zip archive of 2 files: a\.csv, b\.csv"):
        read_source(zipped({"a.csv": CSV, "b.csv": CSV}), name="posts.zip")


@pytest.mark.parametrize(
    ("inner", "kind"), [("posts.csv.gz", "a gz file"), ("posts.zip", "a zip archive"), ("posts.tar", "a tar archive")]
)
def test_an_archive_in_an_archive_is_refused_by_its_name(inner, kind):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("posts.csv"))
    content = {".gz": gzip.compress(CSV), "zip": zipped({"a.csv": CSV}), "tar": buffer.getvalue()}[inner[-3:]]
    with pytest.raises(ValueError, match=f"outer.zip holds {kind}, {inner}"):
        read_source(zipped({inner: content}), name="outer.zip")
    with pytest.raises(ValueError, match=f"holds {kind}"):
        read_source(gzip.compress(content), name="outer.gz")


def test_an_archive_without_a_file_is_refused():
    with pytest.raises(ValueError, match="without a file in it"):
        read_source(zipped({}), name="posts.zip")


@pytest.mark.parametrize("cut", [20, -5])
def test_a_gz_file_that_is_cut_off_is_refused_as_such(cut):
    with pytest.raises(ValueError, match=r"posts\.csv\.gz is broken or cut off"):
        read_source(gzip.compress(CSV * 100)[:cut], name="posts.csv.gz")


def test_a_zip_archive_that_is_cut_off_is_refused_as_such():
    with pytest.raises(ValueError, match=r"posts\.zip is a broken zip archive"):
        read_source(zipped({"a.csv": CSV * 100})[:60], name="posts.zip")


def test_what_would_unpack_to_more_than_the_limit_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", "1000")
    zeros = b"text\n" + b"0" * 5000
    for packed, name in ((gzip.compress(zeros), "posts.csv.gz"), (zipped({"posts.csv": zeros}), "posts.zip")):
        with pytest.raises(ValueError, match=r"would unpack to 5,005 bytes; at most 1,000.*LABELING_MAX_UNPACKED"):
            read_source(packed, name=name)


def test_a_gz_file_that_lies_about_its_length_is_refused_while_it_is_unpacked(monkeypatch):
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", "1000")
    # The length at the end is that of the last part alone.
    packed = gzip.compress(b"text\n" + b"0\n" * 5000) + gzip.compress(b"1\n")
    with pytest.raises(ValueError, match=r"posts\.csv\.gz unpacks to more than 1,000 bytes"):
        read_source(packed, name="posts.csv.gz")


def test_a_zip_archive_that_lies_about_its_length_is_refused(monkeypatch):
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", "1000")
    content = b"text\n" + b"0\n" * 5000
    packed = zipped({"posts.csv": content}).replace((len(content)).to_bytes(4, "little"), (900).to_bytes(4, "little"))
    with pytest.raises(ValueError, match="broken or cut off"):
        read_source(packed, name="posts.zip")


@pytest.mark.parametrize("value", ["0", "many", "-5", "1.5"])
def test_a_limit_that_is_no_number_of_1_or_more_is_an_error(monkeypatch, value):
    monkeypatch.setenv("LABELING_MAX_UNPACKED_BYTES", value)
    with pytest.raises(ValueError, match="LABELING_MAX_UNPACKED_BYTES is a whole number"):
        read_source(gzip.compress(CSV), name="posts.csv.gz")
