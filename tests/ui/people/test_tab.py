"""The people of a project are listed and changed on the Projects page; what the dialogs do is in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from labeling import Project, QueueEmpty
from tests.labeling.pool_loops import loop_of, project_of
from ui.people.tab import _also

HOSTILE = "<img src=x onerror=alert(1)> ![a](http://leak.example/a.png)"


@pytest.fixture
def project(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    made = project_of(sqlite_url)
    loop = loop_of(made)
    for who, answers in (("ann", 2), ("Ann", 1)):
        for query in loop.ask(who, answers):
            loop.tell(query, "ok")
    return made


def tab(name: str) -> None:
    import streamlit as st

    from ui import people

    st.session_state["project"] = name
    st.session_state["annotator"] = "lea"
    people.draw("done")


def form(name: str, which: str) -> None:
    import streamlit as st

    from ui.people import changes
    from ui.session import open_project, storage

    st.session_state["annotator"] = "lea"
    getattr(changes, which)(open_project(storage(), name), "done")


def drawn(project: Project, function: Callable[..., None] = tab, *args: Any) -> AppTest:
    page = AppTest.from_function(function, args=(project.name, *args), default_timeout=300).run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    return " ".join(each.proto.body for each in page.get("html"))


def uuid(project: Project, name: str) -> str:
    return dict(project.people().select("name", "person").iter_rows())[name]


def test_everybody_is_listed_with_names_that_are_text(project: Project) -> None:
    project.set_role(HOSTILE, "lead")
    project.assign("ann", loop="l", items=50, until=datetime(2031, 12, 3, 23, 59, 59, tzinfo=UTC), by=HOSTILE)
    project.merge_people("Ann", "ann")
    page = drawn(project)
    said = texts(page)
    assert "<img" not in said
    assert "<strong>&lt;img" in said
    assert "<td><strong>ann</strong><br><small>also Ann</small></td><td></td><td>3</td><td>l</td>" in said
    assert "<b>ann</b> in l: 0 of 50, until 3 December 2031" in said
    assert "<b>Ann</b> counts as <b>ann</b>" in said
    page.button(f"unmerge-{project.merged_people()['person'][0]}").click().run()
    assert page.session_state["done"] == "“Ann” and “ann” are two people again."
    assert sorted(project.people()["names"].to_list()) == [[], ["Ann"], ["ann"]]
    project.erase_person("ann")
    again = texts(drawn(project))
    assert "<em>erased</em>" in again
    assert "<b>erased</b> in l" in again
    assert "<td><strong>ann" not in again


def test_a_role_is_set_of_people_old_and_new(project: Project) -> None:
    page = drawn(project, form, "role_form")
    assert page.button("role-do").disabled
    page.selectbox("role-who").set_value(uuid(project, "ann")).run()
    page.radio("role-role").set_value("reviewer").run()
    page.button("role-do").click().run()
    assert page.session_state["done"] == "“ann” is reviewer from now on."
    roles = dict(project.people().select("name", "role").iter_rows())
    assert roles == {"ann": "reviewer", "Ann": None}


def test_two_are_merged_after_what_that_touches_is_said(project: Project) -> None:
    page = drawn(project, form, "merge_form")
    page.selectbox("merge-who").set_value(uuid(project, "ann")).run()
    assert uuid(project, "ann") not in page.selectbox("merge-into").options
    assert page.button("merge-do").disabled
    page.selectbox("merge-into").set_value(uuid(project, "Ann")).run()
    assert "ann as Ann: 2 answers here; answered in &#x27;p&#x27;. Nothing that was said is changed" in texts(page)
    assert project.people().height == 2
    page.button("merge-do").click().run()
    assert project.people().select("name", "names", "answers").rows() == [("Ann", ["Ann", "ann"], 3)]


def test_work_is_assigned_in_place_of_other_work_and_withdrawn(project: Project) -> None:
    project.assign("ann", loop="l", items=7)
    page = drawn(project, form, "assign_form")
    page.selectbox("assign-who").set_value(uuid(project, "ann")).run()
    assert "It takes the place of what is assigned there: 0 of 7." in texts(page)
    end = datetime.now(UTC).date() + timedelta(days=2)
    page.number_input("assign-items").set_value(50).run()
    page.date_input("assign-until").set_value(end).run()
    page.button("assign-do").click().run()
    until = datetime(end.year, end.month, end.day, 23, 59, 59, tzinfo=UTC)
    assert project.assignments().select("name", "items", "until", "by").rows() == [("ann", 50, until, "lea")]
    each = project.assignments().row(0, named=True)
    page = drawn(project, withdrawing, each["assignment"])
    assert f"ann in l: 0 of 50, until {end.day}" in texts(page)
    page.button("withdraw-do").click().run()
    assert project.assignments().is_empty()
    # Withdrawn in another window meanwhile: said, not done twice.
    page.button("withdraw-do").click().run()
    assert "Nothing was withdrawn." in texts(page)


def withdrawing(name: str, assignment: str) -> None:
    import streamlit as st

    from ui.people import changes
    from ui.session import open_project, storage

    project = open_project(storage(), name)
    if "row" not in st.session_state:
        rows = project.assignments().iter_rows(named=True)
        st.session_state["row"] = next(each for each in rows if each["assignment"] == assignment)
    changes.withdraw_form(project, st.session_state["row"], "done")


def test_a_name_is_erased_once_it_is_written(project: Project) -> None:
    page = drawn(project, form, "erase_form")
    page.selectbox("erase-who").set_value(uuid(project, "ann")).run()
    for typed in ("", "Ann"):
        page.text_input("erase-person-name").set_value(typed).run()
        assert page.button("erase-person").disabled
    page.text_input("erase-person-name").set_value("ann").run()
    page.button("erase-person").click().run()
    assert sorted(project.people()["name"].to_list(), key=str) == ["Ann", None]


def labeling(name: str) -> None:
    import streamlit as st

    from ui.annotate.page import render

    st.session_state["project"] = name
    st.session_state["annotator"] = "ann"
    render()


def test_whoever_labels_sees_how_much_of_their_assignment_is_left(project: Project) -> None:
    project.assign("ann", loop="l", items=1, until=datetime(2031, 12, 3, 23, 59, 59, tzinfo=UTC))
    page = drawn(project, labeling)
    assert "0 of 1 of your assignment, until 3 December 2031" in texts(page)
    loop = project.pool_loop("l")
    loop.tell(loop.ask("ann", 1)[0], "ok")
    with pytest.raises(QueueEmpty):
        loop.ask("ann", 1)
    page.run()
    assert "1 of 1 of your assignment" in texts(page)
    assert "has given the 1 answers" not in texts(page)
    assert "has given the one answer assigned in the loop &#x27;l&#x27;. Well done." in texts(page)


def test_names_of_whoever_counts_as_somebody_who_counts_as_another_are_the_last_ones() -> None:
    schema = dict.fromkeys(("person", "name", "into", "into_name"), pl.String)
    merged = pl.DataFrame([("1", "a", "2", "b"), ("2", "b", "3", "c"), ("8", None, "9", "z")], schema, orient="row")
    people = pl.DataFrame({"person": ["3", "9"], "name": ["c", "z"], "names": [["a", "c"], []]})
    assert _also(people, merged) == {"3": ["a", "b"], "9": ["erased"]}
