import datetime as dt
import io
import signal
import threading

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sqlalchemy import func, select, update

from labeling import Project, StorageError
from storage import tables
from tests.labeling.processes import PATIENCE, start

LABELS = ["ok", "offensive"]


@pytest.fixture
def project(storage_url):
    return Project.create("p", LABELS, storage=storage_url)


def rows_of(project):
    """How many rows each table of items holds, unfinished imports included."""
    names = (tables.items, tables.contents, tables.source_rows, tables.gold, tables.imports)
    with project.ledger.read() as connection:
        return [connection.scalar(select(func.count()).select_from(table)) for table in names]


def counts(report):
    return (report.rows, report.added, report.duplicates, report.known, report.changed, len(report.rejected))


def test_exact_duplicates_without_ids_become_one_item(project):
    report = project.add_items(pl.DataFrame({"text": ["a", "b", "a", "a"]}))
    assert counts(report) == (4, 2, 2, 0, 0, 0)
    assert project.items().rows() == [(1, "a"), (2, "b")]
    assert [(item, row) for item, _, row, _ in project.ledger.items.duplicates()] == [(1, 3), (1, 4)]


def test_exact_duplicates_under_ids_of_their_own_become_one_item(project):
    report = project.add_items(pl.DataFrame({"id": ["7", "8", "9"], "text": ["a", "b", "a"]}), id="id")
    assert counts(report) == (3, 2, 1, 0, 0, 0)
    assert [(item, external) for item, _, _, external in project.ledger.items.duplicates()] == [(1, "9")]


def test_rows_that_differ_in_any_column_are_no_duplicates(project):
    frame = pl.DataFrame({"text": ["a", "a", "a"], "likes": [1, 2, None]})
    assert counts(project.add_items(frame)) == (3, 3, 0, 0, 0, 0)
    assert project.items()["likes"].to_list() == [1, 2, None]


def test_rows_that_differ_in_a_private_column_are_no_duplicates(project):
    frame = pl.DataFrame({"text": ["a", "a"], "mail": ["x@y", "z@y"]})
    assert project.add_items(frame, private=["mail"]).added == 2


def test_rows_that_differ_in_gold_alone_are_duplicates_and_the_first_truth_is_taken(project):
    frame = pl.DataFrame({"text": ["a", "a", "b"], "label": ["ok", "offensive", None]})
    report = project.add_items(frame, gold="label")
    assert (report.added, report.duplicates, report.gold) == (2, 1, 1)
    assert project.labels("gold").select("item_id", "label").rows() == [(1, "ok")]
    assert report.notes == ("1 items have rows with different gold; the first row's was taken.",)


def test_gold_of_a_later_import_replaces_what_was_known(project):
    project.add_items(pl.DataFrame({"text": ["a", "b"], "label": ["ok", "ok"]}), gold="label")
    report = project.add_items(pl.DataFrame({"text": ["a", "b"], "label": ["offensive", "ok"]}), gold="label")
    assert (report.added, report.known, report.gold) == (0, 2, 1)
    assert report.notes == ("1 items had other gold before; this source's was taken.",)
    assert project.labels("gold")["label"].to_list() == ["offensive", "ok"]


@pytest.mark.parametrize("columns", [["text"], ["id", "text"]], ids=["by content", "by id"])
def test_the_same_file_again_adds_nothing_and_says_so(project, columns):
    frame = pl.DataFrame({"id": ["1", "2", "3"], "text": ["a", "b", "a"]}).select(columns)
    project.add_items(frame)
    (*before, _), copies = rows_of(project), project.ledger.items.duplicates()
    report = project.add_items(frame)
    assert counts(report) == (3, 0, 0, 3, 0, 0)
    assert "3 known already" in str(report)
    items, contents, rows, gold, _ = rows_of(project)
    # That the second import has the items too is on record, so that they stay where the first is taken back.
    assert [items, contents, rows - 3, gold] == before
    assert project.ledger.items.duplicates() == copies
    assert project.items().height == 2


def test_an_id_that_repeats_with_other_content_is_rejected_with_its_line(project):
    source = b"id,text\n1,a\n2,b\n1,c\n1,a\n"
    report = project.add_items(source, id="id", name="posts.csv")
    assert counts(report) == (4, 2, 1, 0, 0, 1)
    assert [(r.line, r.reason) for r in report.rejected] == [
        (4, "the id '1' stands on an earlier line with other content")
    ]


def test_a_known_id_with_other_content_keeps_what_is_stored(project):
    project.add_items(pl.DataFrame({"id": ["1", "2"], "text": ["a", "b"]}))
    report = project.add_items(pl.DataFrame({"id": ["1", "3"], "text": ["edited", "c"]}))
    assert counts(report) == (2, 1, 0, 1, 1, 0)
    assert "with a known id but other content, not taken" in str(report)
    assert project.items()["text"].to_list() == ["a", "b", "c"]


def test_ids_stay_text(project):
    ids = ["007", "1234567890123456789", "NA"]
    project.add_items("id,text\n{},a\n{},b\n{},NA\n".format(*ids).encode(), name="posts.csv")
    assert project.items().select("id", "text").rows() == list(zip(ids, ["a", "b", "NA"], strict=True))


def test_unknown_gold_is_refused_with_the_labels_and_nothing_is_left(project):
    frame = pl.DataFrame({"text": ["a", "b", "c"], "label": ["ok", "spam", "ham"]})
    with pytest.raises(ValueError, match="'label' holds 'spam', 'ham', not among the labels 'ok', 'offensive'"):
        project.add_items(frame, gold="label")
    assert rows_of(project) == [0, 0, 0, 0, 0]


def test_gold_may_use_the_former_name_of_a_class(project):
    project.rename_label("offensive", "abusive")
    project.add_items(pl.DataFrame({"text": ["a"], "label": ["offensive"]}), gold="label")
    assert project.labels("gold")["label"].to_list() == ["abusive"]


def test_gold_counts_only_where_it_is_named(project):
    report = project.add_items(pl.DataFrame({"text": ["a"], "label": ["ok"]}))
    assert report.gold == 0
    assert project.items()["label"].to_list() == ["ok"]


@pytest.mark.parametrize("name", ["posts.parquet", "posts.xlsx"])
def test_a_broken_file_leaves_the_project_as_it_was(project, name):
    project.add_items(pl.DataFrame({"text": ["there"]}))
    before = rows_of(project)
    with pytest.raises(ValueError, match="posts"):
        project.add_items(b"\x00\x01PAR1", name=name)
    assert rows_of(project) == before


def test_a_line_that_cannot_be_read_is_reported_while_the_rest_goes_in(project):
    report = project.add_items(b'{"text": "a"}\n{"text": \n{"text": "b"}\n', name="posts.jsonl")
    assert project.items()["text"].to_list() == ["a", "b"]
    assert [r.line for r in report.rejected] == [2]


def test_an_import_that_fails_while_it_writes_leaves_nothing(project, monkeypatch):
    frame = pl.DataFrame({"text": [f"post {n}" for n in range(30)]})
    monkeypatch.setattr("labeling.store.imports.importing.CHUNK", 10)

    def stop(done, total):
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project.add_items(frame, progress=stop)
    assert rows_of(project) == [0, 0, 0, 0, 0]
    assert project.items().height == 0
    assert project.add_items(frame).added == 30


def test_progress_is_reported_in_rows(project, monkeypatch):
    monkeypatch.setattr("labeling.store.imports.importing.CHUNK", 2)
    seen = []
    project.add_items(pl.DataFrame({"text": list("abcde")}), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(2, 5), (4, 5), (5, 5)]


KILLED = """
import os, signal, sys
import polars as pl
import labeling.store.imports.importing
from labeling import Project

labeling.store.imports.importing.CHUNK = 10
def die(done, total):
    if done == 20:
        os.kill(os.getpid(), signal.SIGKILL)
frame = pl.DataFrame({"text": [f"post {n}" for n in range(30)], "label": ["ok"] * 30})
Project.open("p", sys.argv[1]).add_items(frame, gold="label", progress=die)
"""


def expire_imports(project):
    with project.ledger.unstamped() as connection:
        connection.execute(update(tables.imports).values(expires_at=0.0))


@pytest.fixture
def killed(project):
    project.add_items(pl.DataFrame({"text": ["there"]}))
    child = start(KILLED, project.ledger.full_url)
    child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGKILL
    assert rows_of(project) == [21, 21, 0, 0, 2]
    assert project.items()["text"].to_list() == ["there"]
    return project


def test_an_import_whose_process_was_killed_makes_way_for_the_next_one_at_once(killed):
    assert killed.add_items(pl.DataFrame({"text": ["post 3"]})).added == 1
    assert rows_of(killed) == [2, 2, 0, 0, 2]
    assert killed.items()["text"].to_list() == ["there", "post 3"]


def test_an_import_whose_process_was_killed_is_gone_when_the_project_is_opened(killed):
    assert Project.open("p", storage=killed.ledger.full_url).status().items == 1
    assert rows_of(killed) == [1, 1, 0, 0, 1]


def test_an_import_of_another_machine_is_invisible_and_purged_when_its_time_is_over(killed):
    project = killed
    with project.ledger.unstamped() as connection:
        under_way = update(tables.imports).where(tables.imports.c.seq.is_(None))
        connection.execute(under_way.values(mapping={"holder": "00000000-1-1-ab"}))
    opened = Project.open("p", storage=project.ledger.full_url)
    assert opened.items()["text"].to_list() == ["there"]
    assert opened.status().items == 1
    with pytest.raises(StorageError, match=r"has been running since .*expires after 10 minutes"):
        opened.add_items(pl.DataFrame({"text": ["new"]}))
    expire_imports(project)
    opened = Project.open("p", storage=project.ledger.full_url)
    assert rows_of(project) == [1, 1, 0, 0, 1]
    assert opened.add_items(pl.DataFrame({"text": ["post 3"]})).added == 1
    assert opened.items()["text"].to_list() == ["there", "post 3"]


def test_an_import_that_outlived_its_time_is_refused_instead_of_half_visible(project, monkeypatch):
    monkeypatch.setattr("labeling.store.imports.importing.CHUNK", 10)
    other = Project.open("p", storage=project.ledger.full_url)

    def expire(done, total):
        if done == 20:
            expire_imports(project)
            other.ledger.imports.purge()

    with pytest.raises(StorageError, match="had expired"):
        project.add_items(pl.DataFrame({"text": [f"post {n}" for n in range(30)]}), progress=expire)
    assert rows_of(project) == [0, 0, 0, 0, 0]


def test_two_imports_of_the_same_rows_at_once_never_add_them_twice(project):
    frame = pl.DataFrame({"text": [f"post {n}" for n in range(200)]})
    start_together, added, refused = threading.Barrier(2), [], []

    def run():
        own = Project.open("p", storage=project.ledger.full_url)
        start_together.wait()
        try:
            added.append(own.add_items(frame).added)
        except StorageError:
            refused.append(1)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(added) == 200
    assert len(added) + len(refused) == 2
    assert project.items().height == 200


def test_private_columns_are_shown_where_asked_for_only(project):
    frame = pl.DataFrame({"text": ["a"], "mail": ["ann@example.org"]})
    project.add_items(frame, private=["mail"])
    assert project.items().columns == ["item_id", "text"]
    assert "mail" not in project.item(1)
    assert project.search_items("example")[1] == 0
    assert project.items(private=True)["mail"].to_list() == ["ann@example.org"]


def test_a_private_column_stays_private_in_the_next_import(project):
    frame = pl.DataFrame({"text": ["a", "b"], "mail": ["ann@example.org", "bo@example.org"]})
    project.add_items(frame[:1], private=["mail"])
    project.add_items(frame[1:])
    assert project.items().columns == ["item_id", "text"]
    assert project.items(private=True)["mail"].to_list() == ["ann@example.org", "bo@example.org"]


def test_a_group_is_kept_and_no_holdout_splits_it(project):
    frame = pl.DataFrame(
        {"text": [f"post {n}" for n in range(40)], "author": [f"a{n // 4}" for n in range(40)], "label": ["ok"] * 40}
    )
    project.add_items(frame, group="author", gold="label")
    project.set_holdout(0.3, seed=2)
    roles = project.labels("gold").join(project.items(), on="item_id").group_by("author").agg(pl.col("role").n_unique())
    assert roles["role"].to_list() == [1] * 10
    assert project.status().holdout == 12


def test_a_second_file_with_other_columns_and_types_fits_beside_the_first(project):
    project.add_items(pl.DataFrame({"id": ["1"], "text": ["a"], "likes": [3], "lang": ["en"]}))
    report = project.add_items(pl.DataFrame({"key": ["2"], "body": ["b"], "likes": [0.5], "place": ["x"]}),
                               text="body", id="key")  # fmt: skip
    assert project.items().rows(named=True) == [
        {"item_id": 1, "id": "1", "text": "a", "likes": 3.0, "lang": "en", "place": None},
        {"item_id": 2, "id": "2", "text": "b", "likes": 0.5, "lang": None, "place": "x"},
    ]
    assert report.notes == (
        "The column 'key' became 'id', which holds the id in this project.",
        "The column 'body' became 'text', which holds the text in this project.",
    )


def test_a_column_that_turns_from_numbers_to_words_becomes_text(project):
    project.add_items(pl.DataFrame({"text": ["a"], "size": [3]}))
    project.add_items(pl.DataFrame({"text": ["b"], "size": ["large"]}))
    assert project.items()["size"].to_list() == ["3", "large"]


def test_a_column_that_was_private_may_not_turn_public(project):
    project.add_items(pl.DataFrame({"text": ["a"], "mail": ["x"]}), private=["mail"])
    with pytest.raises(ValueError, match="'mail' is private in this project"):
        project.add_items(pl.DataFrame({"text": ["b"], "body": ["c"], "mail": ["y"]}), group="mail")


def test_a_mapping_is_remembered_and_a_missing_column_named(project):
    project.add_items(pl.DataFrame({"a": ["x y"], "b": ["long text here"]}), text="a")
    assert project.last_mapping().text == "a"
    project.add_items(pl.DataFrame({"a": ["second"], "b": ["another long text"]}))
    assert project.text_column == "a"
    with pytest.raises(ValueError, match="no column 'txt' for text"):
        project.add_items(pl.DataFrame({"a": ["third"]}), text="txt")


def test_a_preview_shows_twenty_rows_and_keeps_nothing(project):
    preview = project.preview_items(pl.DataFrame({"text": [str(n) for n in range(50)], "id": range(50)}))
    assert preview.rows.height == 20
    assert (preview.mapping.text, preview.mapping.id) == ("text", "id")
    assert project.items().height == 0


def test_pandas_frames_come_in(project):
    project.add_items(pl.DataFrame({"text": ["a", "b"], "likes": [1, 2]}).to_pandas())
    assert project.items().rows() == [(1, "a", 1), (2, "b", 2)]


def picture(shade):
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4, 3), shade, dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_pictures_come_as_bytes_or_as_paths(project, tmp_path):
    (tmp_path / "white.png").write_bytes(picture(255))
    project.add_items(pl.DataFrame({"name": ["black", "again"], "image": [picture(0), picture(0)]}), image="image")
    source = tmp_path / "pictures.csv"
    source.write_text("name,image\nwhite,white.png\nlost,nowhere.png\n")
    report = project.add_items(source, image="image")
    assert (report.added, [r.line for r in report.rejected]) == (1, [3])
    assert project.image_column == "image"
    assert project.items().columns == ["item_id", "name"]
    shown = [Image.open(io.BytesIO(data)).getpixel((0, 0)) for data in project.item_store.images().values()]
    assert shown == [(0, 0, 0), (0, 0, 0), (255, 255, 255)]


def test_pictures_that_differ_are_no_duplicates(project):
    frame = pl.DataFrame({"text": ["a", "a", "a"], "image": [picture(0), picture(9), picture(0)]})
    report = project.add_items(frame, image="image")
    assert (report.added, report.duplicates) == (2, 1)


def test_texts_of_all_kinds_come_back(project):
    texts = ["", " ", "=1+1", "a\nb", 'say "x"', "\0nul", "\u2028", "😀", "ÄÖ\u0308", "\x1b[0m", "'", "NULL"]
    project.add_items(pl.DataFrame({"id": [f"{n}\0" for n in range(len(texts))], "text": texts}))
    assert project.items()["text"].to_list() == texts


def test_numbers_dates_and_lists_come_back(project):
    frame = pl.DataFrame(
        {
            "text": ["a", "b"],
            "whole": [2**53 + 1, None],
            "part": [0.1, None],
            "flag": [True, None],
            "day": [dt.date(2024, 2, 29), None],
            "at": [dt.datetime(2024, 2, 29, 12, 30, 0, 5), None],  # noqa: DTZ001
            "vector": [[0.5, 1.0], None],
        }
    )
    project.add_items(frame)
    assert project.items().drop("item_id").equals(frame)


def test_others_write_while_a_long_import_goes_on(storage_url):
    project = Project.create("p", ["ok", "spam"], storage=storage_url)
    done, written = threading.Event(), []

    def write():
        while not done.is_set():
            project.ledger.change("note", {"n": len(written)})
            written.append(project.ledger.version())

    thread = threading.Thread(target=write)
    thread.start()
    report = project.add_items(pl.DataFrame({"text": [f"text {n}" for n in range(30_000)]}), progress=False)
    done.set()
    thread.join()
    assert report.added == project.items().height == 30_000
    # With 30,000 rows in two transactions they came in between no more than thrice.
    assert len(written) > 6
