"""Reads that belong together share a transaction, in their own thread alone."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from labeling import Project


@pytest.fixture
def ledger(storage_url):
    return Project.create("p", ["ok", "spam"], storage=storage_url).ledger


def test_what_is_read_together_is_read_in_one_transaction(ledger):
    with ledger.view(), ledger.read() as first:
        with ledger.view(), ledger.read() as inner:
            assert inner is first
        with ledger.read() as second:
            assert second is first
    with ledger.read() as after:
        assert after is not first


def test_another_thread_reads_on_its_own(ledger):
    def read():
        with ledger.read() as connection:
            return connection

    with ThreadPoolExecutor(1) as pool, ledger.view(), ledger.read() as own:
        assert pool.submit(read).result() is not own


def test_an_error_ends_it(ledger):
    with pytest.raises(LookupError), ledger.view():
        raise LookupError
    ledger.change("note", {"text": "x"})
    with ledger.view():
        assert len(ledger.changes("note")) == 1
