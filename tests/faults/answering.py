"""What people do, killed: answers, steps back, groups, notes, classes that are split."""

import uuid

import numpy as np
import polars as pl

from labeling import Project
from strategies import OutlierGuard, Random
from tests.faults.ledgers import LABELS, Operation, beside, sound
from tests.labeling.loops.pool.test_held_back import texts


class Answering(Operation):
    """Answers, three a process: each is sent under a UUID, and sent again where nobody said that it was saved."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(pl.DataFrame({"text": [f"post number {n}" for n in range(40 + 8 * kills)]}), progress=False)
        self.loop().ask("ann", 1)

    def loop(self):
        return self.project().pool_loop("l", strategy=Random(), batch_size=10_000, seed=1)

    def act(self, run, number):
        loop = self.loop()
        queries = loop.ask("ann", 3)
        run.begin()
        for place, query in enumerate(queries):
            name, label = str(uuid.uuid4()), LABELS[(number + place) % 2]
            run.say("sent", name, query.item_id, label, query.id)
            saved = loop.tell(query, label, uuid=name)
            run.say("saved", saved.uuid, saved.item_id, saved.label)

    def check(self, run, said):
        sound(self.url)
        loop, sent, saved = self.loop(), beside(said, "sent"), beside(said, "saved")
        there = self.project().annotations().select("uuid", "item_id", "label").rows()
        assert len({item for _, item, _ in there}) == len(there), "an item was answered twice"
        assert set(saved) <= set(there), "an answer that was said to be saved is lost"
        assert set(there) <= {words[:3] for words in sent}, "an answer nobody sent"
        assert len(set(there) - set(saved)) <= 1, "of one process one answer at most is under way"
        for name, item, label, query in sent:
            if (name, item, label) not in saved:
                again = loop.tell(loop.query(query), label, annotator="ann", uuid=name)
                assert (again.uuid, again.item_id, again.label) == (name, item, label)
                run.say("saved", name, item, label)
        assert self.project().annotations().height == len(sent) == loop.progress().answered
        assert [each.annotator for each in loop.ask("bob", 2)] == ["bob", "bob"]


class Undoing(Answering):
    """Steps back, two a process: each under a UUID that takes back one answer, however often it is sent."""

    def prepare(self, kills):
        super().prepare(kills)
        loop = self.loop()
        while loop.progress().answered < 4 * kills + 20:
            for query in loop.ask("ann", 20):
                loop.tell(query, "ok")

    def act(self, run, number):
        loop = self.loop()
        run.begin()
        for _ in range(2):
            name = str(uuid.uuid4())
            run.say("sent", name)
            run.say("saved", name, loop.undo("ann", uuid=name).uuid)

    def check(self, run, said):
        sound(self.url)
        loop, sent, saved = self.loop(), beside(said, "sent"), beside(said, "saved")
        facts = self.project().annotations()
        told = facts.filter(pl.col("kind") == "answer").height
        undone = set(facts.filter(pl.col("undone"))["uuid"])
        back = set(facts.filter(pl.col("kind") == "undo")["uuid"])
        assert {name for name, _ in saved} <= back <= {name for (name,) in sent}, "a step back is lost, or nobody's"
        assert {answer for _, answer in saved} <= undone, "a step back that was saved takes nothing back"
        assert len(back) == len(undone) == told - loop.progress().answered
        for (name,) in sent:
            if name not in {name for name, _ in saved}:
                run.say("saved", name, loop.undo("ann", uuid=name).uuid)
        assert loop.progress().answered == told - len(sent)


class TakingOver(Operation):
    """An answer that is taken over for near-duplicates: all of a step, or none of it."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        words = [f"{first}{second}{third}" for first in "bdfgklmnprst" for second in "aeiou" for third in "bdklmnt"]
        rng = np.random.default_rng(0)
        families = [" ".join(rng.choice(words, 14)) for _ in range(2 * kills + 12)]
        made = [text + end for text in families for end in ("", " !!!", " friend", " well")]
        project.add_items(pl.DataFrame({"text": made}), progress=False)
        self.loop().ask("ann", 1)

    def loop(self):
        return self.project().pool_loop("l", strategy=Random(), batch_size=1000, seed=1)

    def act(self, run, number):
        loop = self.loop()
        (query,) = loop.ask("ann", 1)
        answer = loop.tell(query, "ok")
        items, step = [one.item_id for one in loop.alike(query)], str(uuid.uuid4())
        assert len(items) == 3, "the families of this test are near-duplicates"
        run.begin()
        run.say("sent", step, query.id, items)
        taken = loop.tell_alike(answer, items, uuid=step)
        run.say("saved", query.id, sorted(each.item_id for each in taken))

    def check(self, run, said):
        sound(self.url)
        loop = self.loop()
        for last in (False, True):
            facts = self.project().annotations().filter(pl.col("origin") == "alike")
            there = {}
            for query, item in facts.select("from_query", "item_id").rows():
                there.setdefault(query, []).append(item)
            for step, query, items in beside(said, "sent"):
                assert sorted(there.get(query, items)) == sorted(items), "half of a step, or twice"
                assert query in there or (query, sorted(items)) not in _lists(beside(said, "saved")), "a step is lost"
                assert not last or query in there
                if not last and query not in there:
                    loop.tell_alike(loop.query(query), items, annotator="ann", uuid=step)


class DiscardingGroups(Operation):
    """Items of a group that is held back, discarded two at a time: both or none."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(pl.DataFrame({"text": texts(300 + 5 * kills, 24 + 4 * kills)}), progress=False)
        # Whoever says something first is added as a person: steps that no later discard has.
        project.add_note(1, "first", "ann")
        self.loop().refit()

    def loop(self):
        return self.project().pool_loop("l", strategy=OutlierGuard(Random(), share=0.0), batch_size=5)

    def act(self, run, number):
        loop = self.loop()
        group = next(each for each in loop.groups() if each.kind == "cluster apart")
        items = [row["item_id"] for row in loop.group_items(group.id, 0, 2)]
        step = str(uuid.uuid4())
        run.begin()
        run.say("sent", step, items, group.id)
        assert loop.discard_group(group.id, "ann", only=items, uuid=step) == 2
        run.say("saved", step)

    def check(self, run, said):
        sound(self.url)
        loop, saved = self.loop(), {step for (step,) in beside(said, "saved")}
        for last in (False, True):
            facts = self.project().annotations()
            there = facts.filter(pl.col("kind") == "discard")["item_id"].to_list()
            assert len(there) == len(set(there)), "an item was discarded twice"
            for step, items, group in beside(said, "sent"):
                assert len(set(items) & set(there)) in (0, 2), "half of a step"
                assert step not in saved or set(items) <= set(there), "a step is lost"
                assert not last or set(items) <= set(there)
                if not last and step not in saved:
                    loop.discard_group(group, "ann", only=items, uuid=step)
                    run.say("saved", step)


class AddingNotes(Operation):
    """Notes, flags: each is there once it was saved."""

    def prepare(self, kills):
        project = Project.create("p", LABELS, storage=self.url)
        project.add_items(pl.DataFrame({"text": ["a", "b"]}), progress=False)
        # Whoever says something first is added as a person: steps that no later note has.
        project.add_note(2, "first", "ann")

    def act(self, run, number):
        project, words = self.project(), f"note {uuid.uuid4()}"
        run.begin()
        run.say("sent", words)
        project.add_note(1, words, "ann")
        run.say("saved", words)

    def check(self, run, said):
        sound(self.url)
        there = self.project().remarks(1)["text"].to_list() if beside(said, "sent") else []
        assert (
            {words for (words,) in beside(said, "saved")} <= set(there) <= {words for (words,) in beside(said, "sent")}
        )
        assert len(there) == len(set(there))


class Splitting(Answering):
    """A class that is split: its answers count no longer, its items are asked again, or nothing happened."""

    def prepare(self, kills):
        project = Project.create("p", ["kept", "part 0"], storage=self.url)
        project.add_items(pl.DataFrame({"text": [f"post number {n}" for n in range(40 + 8 * kills)]}), progress=False)
        self.loop().ask("ann", 1)

    def act(self, run, number):
        loop, name = self.loop(), self.project().label_names[-1]
        place = int(name.split()[1])
        for query in loop.ask("ann", 2):
            loop.tell(query, name)
        answered = loop.progress().answered
        into = [f"other {place + 1}", f"part {place + 1}"]
        run.begin()
        run.say("sent", name, into, answered)
        assert self.project().split_label(name, into) == answered
        run.say("saved", name)

    def check(self, run, said):
        sound(self.url)
        project, loop = self.project(), self.loop()
        versions = [record.version for record in project.ledger.label_sets()]
        assert versions == list(range(1, len(versions) + 1))
        name, into, answered = beside(said, "sent")[-1]
        done = project.label_names[-1] == into[-1]
        assert done or (name,) not in beside(said, "saved"), "a class that was split is whole again"
        assert loop.progress().answered == (0 if done else answered), "half of a class was split"
        assert project.label_names[-2:] == (tuple(into) if done else (project.label_names[-2], name))
        taken = project.annotations().filter(pl.col("origin") == "split")
        assert taken["undoes"].n_unique() == taken.height, "an answer was taken back twice"
        if not done:
            assert project.split_label(name, into) == answered
        assert loop.progress().answered == 0
        assert loop.ask("ann", 1)


def _lists(rows):
    return [(query, sorted(items)) for query, items in rows]
