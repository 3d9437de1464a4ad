"""What writes files, killed: exports of each format, labels of a file, new databases, migrations."""

import json
import shutil
import sqlite3
from pathlib import Path

import polars as pl

from labeling import MajorityVote, Project, keyword, weak_label_file
from labeling.formats.reading.tables import read_source
from labeling.formats.writing.export_formats import EXPORT_FORMATS
from labeling.votes.label_models import DawidSkene
from tests.faults.learning import WORDS, folder_of, posts
from tests.faults.ledgers import LABELS, Operation, sound

RELEASE = Path(__file__).parents[1] / "data" / "release-0.1.sqlite"


class Exporting(Operation):
    """An export over one that stands: what is there is the old one or the new one, and whole."""

    format = ""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        labels = ["ok", "offensive"] * 30
        project.add_items(pl.DataFrame({"text": posts(60), "label": labels}), gold="label", progress=False)
        self.target.parent.mkdir()
        self.export(10)

    @property
    def target(self):
        suffix = next((each.suffix for each in EXPORT_FORMATS if each.name == self.format), "")
        return self.folder / "exports" / f"labels{suffix}"

    def export(self, rows):
        where = pl.col("text").str.extract(r"(\d+)$").cast(pl.Int64) < rows
        report = self.project().export(self.target, format=self.format, where=where, progress=False)
        assert report.rows == rows

    def act(self, run, number):
        run.begin()
        self.export(60)
        run.say("saved", number)

    def rows(self):
        return read_source(self.target, format=self.format if self.format in TASKS else None).frame.height

    def check(self, run, said):
        sound(self.url)
        # Who writes there next clears up.
        before = self.rows() if self.target.exists() else None
        assert before in (10, 60) or (before is None and self.format == "dataset"), "half an export"
        self.export(20)
        assert self.rows() == 20
        assert folder_of(self.target.parent) == [self.target.name], "something is left of a dead export"
        self.export(10)


TASKS = {"label_studio", "prodigy", "doccano"}
EXPORTS = {f"export {each.name}": type("Exporting", (Exporting,), {"format": each.name}) for each in EXPORT_FORMATS}


class LabelingFiles(Operation):
    """A file that is labeled over one that stands; the same call again goes on and ends with the same."""

    def prepare(self, kills):
        pl.DataFrame({"text": posts(300)}).write_parquet(self.folder / "posts.parquet", row_group_size=100)
        self.label("expected.parquet")
        pl.DataFrame({"old": [1]}).write_parquet(self.folder / "labels.parquet")

    def label(self, name, model=None):
        rules = [keyword(word, [word], LABELS[number == 0]) for number, word in enumerate(WORDS[:3])]
        return weak_label_file(
            self.folder / "posts.parquet", rules, model or DawidSkene(), self.folder / name,
            labels=LABELS, progress=False,
        )  # fmt: skip

    def act(self, run, number):
        run.begin()
        self.label("labels.parquet", MajorityVote() if number % 3 == 2 else None)
        run.say("saved", number)

    def check(self, run, said):
        there = pl.read_parquet(self.folder / "labels.parquet")
        assert there.columns == ["old"] or there.height == 300, "half a file"
        self.label("labels.parquet")
        expected = pl.read_parquet(self.folder / "expected.parquet")
        assert pl.read_parquet(self.folder / "labels.parquet").equals(expected)
        assert folder_of(self.folder) == ["expected.parquet", "labels.parquet", "posts.parquet"]
        pl.DataFrame({"old": [1]}).write_parquet(self.folder / "labels.parquet")


class Creating(Operation):
    """The first project of a database: what a kill leaves does not keep it from being made."""

    def prepare(self, kills):
        (self.folder / "new").mkdir()

    @property
    def new(self):
        return f"sqlite:///{self.folder / 'new' / 'work.db'}"

    def act(self, run, number):
        run.begin()
        Project.create("p", LABELS, storage=self.new)
        run.say("saved", number)

    def check(self, run, said):
        known = Project.names(self.new)
        assert known in ([], ["p"])
        project = Project.create("p", LABELS, storage=self.new, exist_ok=True)
        project.add_items(pl.DataFrame({"text": ["a", "b"]}), progress=False)
        sound(self.new)
        assert (Project.names(self.new), project.label_names) == (["p"], ("ok", "offensive"))
        shutil.rmtree(self.folder / "new")
        (self.folder / "new").mkdir()


class Migrating(Operation):
    """A database of an old release: at the next start it is of the newest schema, with all that it held."""

    def prepare(self, kills):
        self.old()
        (self.folder / "facts.json").write_text(json.dumps(self.facts()))
        self.old()

    def old(self):
        shutil.rmtree(self.folder / "old", ignore_errors=True)
        (self.folder / "old").mkdir()
        shutil.copy(RELEASE, self.folder / "old" / "work.db")

    def facts(self):
        project = Project.open("posts", f"sqlite:///{self.folder / 'old' / 'work.db'}")
        return [project.items().rows(), project.annotations().drop("created_at").rows(), project.version()]

    def act(self, run, number):
        run.begin()
        self.facts()
        run.say("saved", number)

    def check(self, run, said):
        assert json.loads(json.dumps(self.facts())) == json.loads((self.folder / "facts.json").read_text())
        sound(f"sqlite:///{self.folder / 'old' / 'work.db'}")
        backups = [name for name in folder_of(self.folder / "old") if not name.startswith("work.db-")][1:]
        assert backups, "there is no backup of what it was"
        for name in backups:
            assert name.endswith(".backup"), f"{name} is left of a dead migration"
            connection = sqlite3.connect(self.folder / "old" / name)
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT count(*) FROM items").fetchone() == (8,)
            connection.close()
        self.old()
