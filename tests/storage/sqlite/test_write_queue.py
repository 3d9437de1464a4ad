"""Who writes to a SQLite file waits in the kernel for others, never for one that is dead or stopped."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import event, text

from labeling import Project
from storage.database import open_engine, writing
from storage.sqlite import files, write_queue
from storage.sqlite.files import log_of
from storage.sqlite.write_queue import in_line

ADD = text("UPDATE projects SET next_item = next_item + 1")

WRITER = """
import os, signal, sys
from storage.database import open_engine, writing
from storage.sqlite.write_queue import in_line

engine = open_engine(sys.argv[1])
with {what}(engine):
    print("in", flush=True)
    {then}
"""


@contextmanager
def another(url, what, then="sys.stdin.read()"):
    """Run another process that is in the queue, or in a transaction, until what it reads has an end or it is killed."""
    command = [sys.executable, "-W", "ignore", "-c", WRITER.format(what=what, then=then), url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "in\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def engine(sqlite_url):
    Project.create("p", ["a", "b"], storage=sqlite_url)
    return open_engine(sqlite_url)


@pytest.fixture
def begun(engine):
    """Every try to begin to write, of this process."""
    tries = []

    def look(statement):
        if statement == "BEGIN IMMEDIATE":
            tries.append(statement)

    @event.listens_for(engine, "checkout")
    def follow(raw, *_):
        raw.set_trace_callback(look)

    return tries


def write(engine):
    with writing(engine) as connection:
        connection.execute(ADD)


def written(engine):
    with engine.connect() as connection:
        return connection.execute(text("SELECT next_item FROM projects")).scalar_one()


def is_free(engine):
    """Tell whether nobody is in the queue of a database."""
    place = os.open(log_of(engine), os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(place)
    return True


def waiters():
    return [thread for thread in threading.enumerate() if thread.name == "tally-write-queue"]


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(write_queue, "PATIENCE", 60)


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(write_queue, "PATIENCE", 0.05)


def test_who_waits_for_another_process_does_not_look_at_sqlite(engine, sqlite_url, begun, patient):
    before = written(engine)
    with another(sqlite_url, "writing") as process:
        end = threading.Timer(0.2, process.stdin.close)
        end.start()
        write(engine)
        end.join()
    assert (len(begun), written(engine)) == (1, before + 1)
    assert is_free(engine)


def test_threads_of_one_process_wait_for_each_other(engine, begun, patient):
    before = written(engine)
    threads = [threading.Thread(target=write, args=(engine,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(begun), written(engine)) == (5, before + 5)


def test_a_killed_process_holds_nobody_up(engine, sqlite_url, begun, patient):
    before = written(engine)
    with another(sqlite_url, "writing") as process:
        end = threading.Timer(0.2, process.kill)
        end.start()
        write(engine)
        end.join()
    assert (len(begun), written(engine)) == (1, before + 1)


def test_a_stopped_process_holds_others_up_once(engine, sqlite_url, impatient):
    before = written(engine)
    with another(sqlite_url, "in_line", "os.kill(os.getpid(), signal.SIGSTOP)") as process:
        write(engine)
        (stuck,) = waiters()
        write(engine)
        assert (written(engine), waiters()) == (before + 2, [stuck])
        process.kill()
        # What it waited for is given back by itself.
        stuck.join()
    assert is_free(engine)
    with in_line(engine):
        assert not is_free(engine)


def test_who_is_interrupted_while_waiting_leaves_the_queue(engine, sqlite_url, patient):
    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with another(sqlite_url, "in_line") as process:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(KeyboardInterrupt):
                write(engine)
            (left,) = waiters()
            process.stdin.close()
            left.join()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert is_free(engine)


def test_a_process_forked_meanwhile_does_not_stay_in_the_queue(engine):
    stays, end = os.pipe()
    with in_line(engine):
        child = os.fork()
        if not child:
            os.close(end)
            os.read(stays, 1)
            os._exit(0)
    os.close(stays)
    try:
        assert is_free(engine)
    finally:
        os.close(end)
        os.waitpid(child, 0)


@pytest.mark.parametrize("case", ["on a share", "where there is no flock", "where the log is gone"])
def test_where_nobody_can_queue_writers_go_on_without(case, engine, sqlite_url, tmp_path, monkeypatch, impatient):
    if case == "on a share":
        mounts = tmp_path / "mounts"
        mounts.write_text(f"server:/x {tmp_path.resolve()} nfs4 rw 0 0\n", encoding="utf-8")
        monkeypatch.setattr(files.file_system, "__defaults__", (mounts,))
        monkeypatch.delitem(vars(files._files[engine]), "log")
    elif case == "where there is no flock":
        monkeypatch.setattr(write_queue, "fcntl", None)
    else:
        monkeypatch.setitem(vars(files._files[engine]), "log", tmp_path / "gone-wal")
    before = written(engine)
    with another(sqlite_url, "in_line"):
        write(engine)
        assert (written(engine), waiters()) == (before + 1, [])


def test_the_queue_leaves_no_file(engine, tmp_path):
    write(engine)
    path = files._files[engine].path
    beside = {each.name for each in path.parent.glob(f"{path.name}*")}
    assert beside == {path.name, f"{path.name}-wal", f"{path.name}-shm"}
