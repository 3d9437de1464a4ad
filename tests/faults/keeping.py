"""What keeps databases in order, killed: backups, copies between databases, what is erased."""

import sqlite3

import polars as pl
from sqlalchemy import text

from labeling import Project
from labeling.upkeep import backup, copy_projects
from storage.database import close_engine, open_engine, reading, writing
from tests.faults.learning import folder_of, posts
from tests.faults.ledgers import LABELS, Operation, beside, sound
from tests.labeling.pool_loops import loop_of

ITEMS = 40


def made(url, name="p", n=ITEMS):
    """Make a project with items, known answers and answers of people."""
    project = Project.create(name, LABELS, storage=url)
    frame = pl.DataFrame({"text": posts(n), "label": ["ok", "offensive"] * (n // 2)})
    project.add_items(frame, gold="label", progress=False)
    loop = loop_of(project)
    for query in loop.ask("ann", 4):
        loop.tell(query, "ok")
    return project


def held(project):
    """What a project holds, as it is compared."""
    return project.items().rows(), project.annotations().select("item_id", "label").rows(), project.version()


class BackingUp(Operation):
    """A backup over one that stands: there is the old one or the new one, whole, and nothing beside it."""

    def prepare(self, kills):
        (self.folder / "backups").mkdir()
        made(self.url)
        backup(self.url, self.file)

    @property
    def file(self):
        return self.folder / "backups" / "work.backup"

    def act(self, run, number):
        run.begin()
        backup(self.url, self.file, overwrite=True)
        run.say("saved", number)

    def check(self, run, said):
        connection = sqlite3.connect(self.file)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (ITEMS,)
        connection.close()
        backup(self.url, self.file, overwrite=True)
        assert folder_of(self.file.parent) == ["work.backup"], "something is left of a dead backup"
        assert held(Project.open("p", f"sqlite:///{self.file}")) == held(self.project())
        # A log beside it would say that it is in use.
        close_engine(f"sqlite:///{self.file}")
        sound(self.url)


class Copying(Operation):
    """A project copied into a database that has another: all of it, or none."""

    def prepare(self, kills):
        made(self.source)
        Project.create("q", LABELS, storage=self.url)

    @property
    def source(self):
        return f"sqlite:///{self.folder / 'source.db'}"

    def act(self, run, number):
        run.begin()
        copy_projects(self.source, self.url)
        run.say("saved", number)

    def check(self, run, said):
        sound(self.url)
        there = Project.names(self.url)
        assert there in (["q"], ["q", "p"]), "half a copy"
        if there == ["q"]:
            copy_projects(self.source, self.url)
        copied = self.project()
        assert held(copied) == held(Project.open("p", self.source))
        assert copied.pool_loop("l").progress().answered == 4
        copied.erase_project("p")
        with writing(open_engine(self.url)) as connection:
            # Else it would stay erased here.
            connection.execute(text("DELETE FROM erased_projects"))


class ErasingItems(Operation):
    """What items hold goes with its tombstone, or stays."""

    def prepare(self, kills):
        made(self.url, n=4 * kills + 40)

    def act(self, run, number):
        project = self.project()
        run.begin()
        project.erase([number + 1], "asked for")
        run.say("saved", number)

    def check(self, run, said):
        with reading(open_engine(self.url)) as connection:
            gone = set(connection.scalars(text("SELECT item_id FROM contents WHERE data IS NULL")))
            erased = connection.scalars(text("SELECT item_id FROM erasures")).all()
        assert sorted(erased) == sorted(gone)
        assert {number + 1 for (number,) in beside(said, "saved")} <= gone
        sound(self.url)


class ErasingProjects(Operation):
    """A project is erased with its tombstone, or is there as it was."""

    def prepare(self, kills):
        made(self.url)

    def act(self, run, number):
        project = made(self.url, f"e{number}", 10)
        run.begin()
        project.erase_project(f"e{number}")
        run.say("saved", number)

    def check(self, run, said):
        there = Project.names(self.url)
        assert not {f"e{number}" for (number,) in beside(said, "saved")}.intersection(there)
        sound(self.url)
        for name in there[1:]:
            project = Project.open(name, self.url)
            assert (project.items().height, project.pool_loop("l").progress().answered) == (10, 4), "half erased"
            project.erase_project(name)
        assert held(self.project())[0]
        with reading(open_engine(self.url)) as connection:
            assert connection.scalar(text("SELECT count(*) FROM items")) == ITEMS
