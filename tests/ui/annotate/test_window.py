"""What a page reserves of a round: a few questions, for two minutes, and longer while it is open."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from labeling import Project
from tests.labeling.pool_loops import expire_leases, loop_of, project_of


def labeling(name: str) -> None:
    import streamlit as st

    from ui.annotate.page import render

    st.session_state["project"] = name
    st.session_state["annotator"] = "ann"
    render()


def beating(name: str, since: float) -> None:
    import time

    import streamlit as st

    from labeling import Project
    from ui.annotate.window import _BEAT, kept

    st.session_state[_BEAT] = time.monotonic() - since
    assert kept(Project.open(name).pool_loop("l"), "ann")


@pytest.fixture
def project(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    return project_of(sqlite_url, n=60)


def test_a_page_reserves_a_window_for_two_minutes_and_keeps_it_while_it_is_open(project: Project) -> None:
    loop = loop_of(project, batch_size=40)
    page = AppTest.from_function(labeling, args=(project.name,), default_timeout=300).run()
    assert not page.exception
    (held,) = loop.holders().iter_rows(named=True)
    assert (held["annotator"], held["questions"]) == ("ann", 20)
    assert 60 < held["seconds"] <= 120
    with project.ledger.unstamped() as connection:
        connection.execute(text("UPDATE leases SET expires_at = expires_at - 60"))
    for since, least in ((10, 0), (60, 100)):
        AppTest.from_function(beating, args=(project.name, since), default_timeout=300).run()
        assert least < loop.holders()["seconds"][0] <= (60 if since == 10 else 120)


def test_what_a_page_that_is_gone_had_goes_to_others(project: Project) -> None:
    loop = loop_of(project, batch_size=40)
    AppTest.from_function(labeling, args=(project.name,), default_timeout=300).run()
    mine = {query.item_id for query in loop.ask("ann", refit=False)}
    expire_leases(project)
    assert mine.intersection(query.item_id for query in loop.ask("bob", 40, refit=False)) == mine
