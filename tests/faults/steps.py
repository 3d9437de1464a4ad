"""Counts the steps in which a process writes to a database or to files, and ends it at one of them."""

import os
import signal
import sys

from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool

FILES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "sqlite3.connect"}


class Run:
    """One operation of one process.

    Parameters
    ----------
    say
        Tells the parent something, at once.
    at
        The step to be killed at; None to count them all.
    exact
        Whether the process kills itself between two steps; else its parent is asked to, which finds it somewhere in
        what follows, in the middle of a write as well.
    """

    def __init__(self, say, at, *, exact):
        self.say = say
        self.awaited = False
        self._at, self._exact = at, exact
        self._process = os.getpid()
        self._begun = self._writing = False
        self._count = 0

    def begin(self):
        """Look out for steps from here on; the first write is the first of them."""
        self._begun = True
        event.listen(Engine, "begin", self._began)
        for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
            event.listen(Engine, name, self._step)
        event.listen(Pool, "checkin", self._step)
        sys.addaudithook(self._audit)

    def end(self):
        """Tell how many steps there were."""
        self._begun = False
        self.say("steps", self._count)

    def _began(self, connection):
        if connection.get_execution_options().get("write"):
            self._writing = True

    def _audit(self, name, arguments):
        if not self._begun:
            return
        if name == "open":
            path, _, flags = arguments
            wanted = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not wanted or str(path).startswith(("/dev/", "/proc/")):
                return
        elif name not in FILES:
            return
        self._writing = True
        self._step()

    def _step(self, *_arguments):
        if not (self._begun and self._writing) or os.getpid() != self._process:
            return
        self._count += 1
        if self._count == self._at and self._exact:
            os.kill(self._process, signal.SIGKILL)
        elif self._count == self._at:
            self.awaited = True
            self.say("now")
