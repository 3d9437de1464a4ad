"""Long work that a press began: it goes on when the page is drawn anew, and is followed to its end."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

T = TypeVar("T")

LOOK_SECONDS = 0.2


class Work(Generic[T]):
    """Something that takes long, in a thread of its own.

    Inside the run of a page it would be broken off by the next press anywhere on that page: Streamlit ends a run at
    the next thing that it draws, the progress of this work among them.

    Parameters
    ----------
    act
        What to do; it is given a function to tell how far it is, (done, total).
    """

    def __init__(self, act: Callable[[Callable[[int, int], None]], T]) -> None:
        self.done, self.total = 0, 0
        executor = ThreadPoolExecutor(1, "tally-work")
        self._future = executor.submit(act, self._tell)
        executor.shutdown(wait=False)

    def _tell(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def follow(self, draw: Callable[[int, int], None]) -> T:
        """Wait for the end, and return what came of it, or raise what went wrong.

        Parameters
        ----------
        draw
            Shows how far it is, again and again; where that ends the run of a page, the work goes on, and is followed
            by the next run.
        """
        while True:
            draw(self.done, self.total)
            try:
                return self._future.result(LOOK_SECONDS)
            except NotYet:
                # An error of the work may be of that kind, too.
                if self._future.done():
                    raise
