import pytest

from labeling import Project


@pytest.fixture
def project(tmp_path):
    return Project.create("posts", labels=["ok", "bad"], storage=f"sqlite:///{tmp_path / 'posts.db'}")


def test_a_preview_says_what_would_be_rejected_and_the_import_rejects_the_same(project):
    content = b"id,text\n1,a\n2\n1,b\n3,c\n1,a\n"
    preview = project.preview_items(content, name="posts.csv", id="id")
    assert preview.looked_at == 5
    assert [str(row) for row in preview.rejected] == [
        "line 3: 1 fields where the header has 2",
        "line 4: the id '1' stands on an earlier line with other content",
    ]
    report = project.add_items(content, name="posts.csv", id="id")
    assert [str(row) for row in report.rejected] == [str(row) for row in preview.rejected]


def test_a_preview_names_pictures_that_cannot_be_read(project, tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("text,image\na,missing.png\n", encoding="utf-8")
    preview = project.preview_items(path, image="image")
    assert [row.line for row in preview.rejected] == [2]


def test_a_preview_looks_at_so_many_rows_and_says_so(project):
    content = b"text\n" + b"".join(b"row %d\n" % n for n in range(3000))
    preview = project.preview_items(content, name="posts.csv")
    assert (preview.looked_at, preview.rows.height, preview.rejected) == (1000, 20, ())


def test_an_offer_of_a_preview_is_taken_by_the_import(project):
    content = b"text;price\na;3,14\nb;2,5\n"
    offer = project.preview_items(content, name="posts.csv").offers[0]
    project.add_items(content, name="posts.csv", **{offer.option: offer.value})
    assert project.items()["price"].to_list() == [3.14, 2.5]


def test_the_labels_of_another_tool_are_no_content_unless_they_are_mapped(project):
    tasks = b'{"text": "a", "label": "ok", "answer": "accept"}\n{"text": "b", "label": "bad", "answer": "accept"}\n'
    report = project.add_items(tasks, name="tasks.jsonl")
    assert "label" not in project.columns
    assert "2 labels of prodigy were left out" in " ".join(report.notes)
    project.add_items(tasks, name="tasks.jsonl", gold="label")
    assert sorted(project.labels(source="gold")["label"].to_list()) == ["bad", "ok"]
    assert project.items().height == 2
