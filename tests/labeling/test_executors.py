"""Every executor does the same work and gives the results in the order of the tasks."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from operator import neg

import pytest

from labeling.executors import map_in_order


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_results_come_in_the_order_of_the_tasks(executor):
    assert list(map_in_order(neg, range(20), executor)) == [-n for n in range(20)]


def test_an_executor_that_was_passed_in_is_left_running():
    with ThreadPoolExecutor(2) as pool:
        assert list(map_in_order(neg, [1, 2, 3], pool)) == [-1, -2, -3]
        assert pool.submit(neg, 4).result() == -4


def test_only_a_few_tasks_are_taken_before_their_results_are_needed():
    taken = []

    def tasks():
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = map_in_order(neg, tasks(), pool)
        assert next(results) == 0
        assert len(taken) < 10


@pytest.mark.parametrize("executor", [None, "threads", "processes"])
def test_an_error_in_a_task_reaches_the_caller(executor):
    with pytest.raises(ZeroDivisionError):
        list(map_in_order((1).__truediv__, [1, 0, 2], executor))


def test_a_pool_that_forks_is_refused():
    with (
        ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as pool,
        pytest.raises(ValueError, match="hangs once Polars has run"),
    ):
        list(map_in_order(neg, [1], pool))


def test_an_unknown_executor_is_named():
    with pytest.raises(ValueError, match="No executor 'cluster'"):
        list(map_in_order(neg, [1], "cluster"))
