"""Long work goes on whatever becomes of the page that began it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ui.work import Work


class DrawnAnew(BaseException):
    """As Streamlit ends the run of a page."""


def test_work_that_a_page_no_longer_draws_comes_to_its_end_all_the_same() -> None:
    go_on, seen = threading.Event(), []

    def act(tell: Callable[[int, int], None]) -> str:
        tell(1, 2)
        go_on.wait()
        tell(2, 2)
        return "all rows"

    def leave(done: int, total: int) -> None:
        if done:
            raise DrawnAnew

    work = Work(act)
    with pytest.raises(DrawnAnew):
        work.follow(leave)
    go_on.set()
    assert work.follow(lambda *so_far: seen.append(so_far)) == "all rows"
    assert work.follow(lambda *so_far: seen.append(so_far)) == "all rows"
    assert seen[-1] == (2, 2)


@pytest.mark.parametrize("error", [ValueError("no such column"), TimeoutError("locked for 30 seconds")])
def test_what_went_wrong_is_raised_where_it_is_followed(error: Exception) -> None:
    def act(tell: Callable[[int, int], None]) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        Work(act).follow(lambda done, total: None)
