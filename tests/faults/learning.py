"""What fills a project and learns from it, killed: imports, rules, weak runs, refits."""

from pathlib import Path

import numpy as np
import polars as pl
from sqlalchemy import text

from labeling import MajorityVote, Project, apply, keyword, labeling_function
from labeling.store.imports import importing
from storage.database import open_engine, reading
from strategies import Random
from tests.faults.ledgers import LABELS, Operation, beside, sound

WORDS = ["idiot", "morning", "train", "budget", "garden", "river"]


def posts(count, of=""):
    """Return texts that rules have something to say of."""
    return [f"{WORDS[n % 6]} and {WORDS[n % 4]} {of} number {n}" for n in range(count)]


@labeling_function()
def short(row):
    """Say that short posts are fine."""
    return "ok" if len(row["text"]) < 30 else None


class Importing(Operation):
    """A file in several chunks, with known answers and copies: all of it is there, or nothing."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(self.rows(-1), gold="label", text="text", progress=False)

    def rows(self, number):
        made = posts(50, f"of import {number}")
        return pl.DataFrame({"text": [*made, *made[:10]], "label": LABELS * 30, "n": [*range(50), *range(10)]})

    def act(self, run, number):
        importing.CHUNK = 15
        project = self.project()
        run.begin()
        run.say("sent", number)
        project.add_items(self.rows(number), gold="label", text="text", progress=False)
        run.say("saved", number)

    def check(self, run, said):
        project = self.project()
        (number,) = beside(said, "sent")[-1]
        before, after = 50 * (number + 1), 50 * (number + 2)
        there = project.items().height
        assert there in (before, after), "half an import"
        assert there == after or (number,) not in beside(said, "saved"), "an import that was saved is lost"
        assert project.labels("gold").height == there
        # The same file again, at once: nobody waits for the dead.
        assert project.add_items(self.rows(number), gold="label", text="text", progress=False).added == after - there
        assert project.items().height == after
        sound(self.url)
        with reading(open_engine(self.url)) as connection:
            rows = {name: connection.scalar(text(f"SELECT count(*) FROM {name}")) for name in ("items", "contents")}
        assert rows == dict.fromkeys(rows, after), "rows of a dead import are left"


class AddingRules(Operation):
    """Rules of data and of code, with their votes: all of a step or none, and the votes are what they say."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(pl.DataFrame({"text": posts(40)}), progress=False)

    def rules(self, number):
        return [keyword(f"{number} {word}", [word], LABELS[n % 2]) for n, word in enumerate(WORDS[:3])]

    def act(self, run, number):
        project = self.project()
        run.begin()
        run.say("sent", number)
        project.add_functions([*self.rules(number), short])
        run.say("saved", number)
        project.label_matrix(progress=False)

    def check(self, run, said):
        sound(self.url)
        project = self.project()
        for last in (False, True):
            names = [info.name for info in project.functions()]
            for (number,) in beside(said, "sent"):
                there = sum(rule.name in names for rule in self.rules(number))
                assert there == 3 or (there == 0 and not last), "half of the rules of a step"
                assert there == 3 or (number,) not in beside(said, "saved"), "rules that were saved are lost"
                project.add_functions([*self.rules(number), short])
        assert len(names) == len(set(names))
        matrix = project.label_matrix(progress=False)
        expected = apply([*self.rules(0), short], project.items(), labels=LABELS, text="text", progress=False)
        votes = [[source.name for source in each.sources].index("short") for each in (matrix, expected)]
        assert np.array_equal(matrix.values[:, votes[0]], expected.values[:, votes[1]])


class WeakRunning(AddingRules):
    """Weak runs: each is whole or is not there."""

    def prepare(self, kills):
        super().prepare(kills)
        self.project().add_functions(self.rules(0))

    def act(self, run, number):
        project = self.project()
        run.begin()
        run.say("saved", project.weak_label(MajorityVote()).number)

    def check(self, run, said):
        sound(self.url)
        project = self.project()
        numbers = sorted(project.weak_runs()["number"].to_list())
        assert numbers == list(range(1, len(numbers) + 1))
        assert {number for (number,) in beside(said, "saved")} <= set(numbers), "a run that was saved is lost"
        runs = [project.weak_run(number) for number in numbers]
        assert len({(each.functions, each.model) for each in runs}) == 1, "a run is half written"
        before = project.labels("weak")
        assert project.weak_label(MajorityVote()).number == len(numbers) + 1
        after = project.labels("weak")
        assert after.select("item_id", "label").equals(before.select("item_id", "label"))
        assert after.height > 0


class Refitting(Operation):
    """Refits: a round is whole or is not there, and no lease of the dead is waited for."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(pl.DataFrame({"text": posts(60 + 8 * kills)}), progress=False)
        loop = self.loop()
        for number, query in enumerate(loop.ask("ann", 6)):
            loop.tell(query, LABELS[number % 2])

    def loop(self):
        return self.project().pool_loop("l", strategy=Random(), batch_size=2, seed=1)

    def act(self, run, number):
        loop = self.loop()
        for place, query in enumerate(loop.ask("ann", 2, refit=False)):
            loop.tell(query, LABELS[place])
        run.begin()
        run.say("saved", loop.refit().round)

    def check(self, run, said):
        sound(self.url)
        loop = self.loop()
        rounds = [record.round for record in loop._ledger.loops.refits(loop._record.id)]
        assert rounds == list(range(len(rounds)))
        assert {number for (number,) in beside(said, "saved")} <= set(rounds), "a round that was saved is lost"
        assert not loop.refitting
        for query in loop.ask("ann", 2, refit=False):
            loop.tell(query, "ok")
        assert loop.refit().round == len(rounds)
        assert loop.history()["round"].to_list() == [*rounds, len(rounds)][1:]
        with reading(open_engine(self.url)) as connection:
            assert connection.scalar(text("SELECT count(*) FROM refit_leases")) == 0


def folder_of(path):
    """Return the names of what is in a folder, hidden ones too."""
    return sorted(each.name for each in Path(path).iterdir())
