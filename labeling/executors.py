"""Where work is done: here, in threads, in processes, or on a cluster; the results come in the order of the tasks."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from labeling.extras import extra

Task = TypeVar("Task")
Result = TypeVar("Result")

Engine = Executor | Literal["threads", "processes"] | None
"""None: here, without any process; ``"threads"``; ``"processes"`` (loky); or any ``concurrent.futures`` executor, such
as that of a Dask cluster, ``dask.distributed.Client(...).get_executor()``."""


def map_in_order(work: Callable[[Task], Result], tasks: Iterable[Task], executor: Engine = None) -> Iterator[Result]:
    """Do tasks on an executor and yield the results in the order of the tasks.

    A few tasks a worker are under way at any time, so that memory stays bounded.

    Examples
    --------
    >>> list(map_in_order(str.upper, ["a", "b"], "threads"))
    ['A', 'B']
    """
    with opened(executor) as engine:
        if engine is None:
            yield from map(work, tasks)
            return
        under_way: deque[Any] = deque()
        try:
            for task in tasks:
                under_way.append(engine.submit(work, task))
                if len(under_way) > 2 * workers(engine):
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()


@contextmanager
def opened(executor: Engine) -> Iterator[Executor | None]:
    """Start the executor that a name stands for; one that was passed in is left running."""
    if executor is None:
        yield None
    elif executor == "threads":
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            yield threads
    elif executor == "processes":
        yield _loky()
    elif isinstance(executor, str):
        raise ValueError(f"No executor {executor!r}. Use None, 'threads', 'processes', or an executor object.")
    else:
        _refuse_fork(executor)
        yield executor


def workers(executor: Executor) -> int:
    """How many tasks an executor does at a time."""
    client = getattr(executor, "_client", None)
    if client is not None:
        return max(int(sum(client.nthreads().values())), 1)
    return int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)


def _loky() -> Executor:
    executor: Executor = extra("loky", 'executor="processes"').get_reusable_executor(max_workers=os.cpu_count())
    return executor


def _refuse_fork(executor: Executor) -> None:
    """A forked child inherits the locks of Polars' threads and waits for them forever."""
    context = getattr(executor, "_mp_context", None)
    if isinstance(executor, ProcessPoolExecutor) and context is not None and context.get_start_method() == "fork":
        raise ValueError(
            "A process pool that forks hangs once Polars has run. Use executor='processes', or "
            "ProcessPoolExecutor(mp_context=multiprocessing.get_context('spawn'))."
        )
