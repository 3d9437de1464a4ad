import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labeling import UNSURE, QueueEmpty
from storage import Holder
from strategies import Entropy, LeastConfidence, Margin, Random
from tests.labeling.pool_loops import LABELS, again, human, ids, loop_of, project_of


def open_(loop, name):
    """What somebody holds."""
    with loop._ledger.turn() as turn:
        return loop._queue.queries(loop._queue.open(turn.connection, Holder(name, None, 1800.0)))


@pytest.mark.parametrize("strategy", [LeastConfidence(), Margin(), Entropy(), Random()], ids=lambda s: type(s).__name__)
def test_stopping_anywhere_changes_no_question(tmp_path, strategy):
    def asked(path, interrupted):
        project = project_of(f"sqlite:///{path}")
        loop, seen = loop_of(project, budget=8, strategy=strategy), []
        while not loop.done:
            for query in loop.ask("ann"):
                seen.append(query.item_id)
                loop.tell(query, "offensive" if query.item_id % 3 == 1 else "ok")
                if interrupted:
                    loop = again(project)
                    loop.refit() if loop.round_complete else None
            loop.refit()
        return seen

    assert asked(tmp_path / "a.db", False) == asked(tmp_path / "b.db", True)


class Model:
    """What a person did and should see, kept beside the loop."""

    def __init__(self):
        self.stacks = {}
        self.done_by = {"ann": [], "bo": []}

    def act(self, name, item, kind):
        self.stacks.setdefault((item, name), []).append(kind)
        self.done_by[name].append((item, kind))

    def undo(self, name):
        if not self.done_by[name]:
            return None
        item, kind = self.done_by[name].pop()
        assert self.stacks[item, name].pop() == kind
        return item, kind

    def current(self):
        return {key: stack[-1] for key, stack in self.stacks.items() if stack}

    def answered(self):
        return {item for (item, _), kind in self.current().items() if kind != "skip"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "tell", "tell", "unsure", "skip", "discard", "undo", "refit", "reopen", "correct"]),
        st.sampled_from(["ann", "bo"]),
        st.integers(0, 3),
    ),
    min_size=5,
    max_size=40,
)


@given(steps=STEPS, budget=st.integers(1, 9))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_people_do_nobody_is_asked_twice_and_counts_are_exact(tmp_path_factory, steps, budget):
    project = project_of(f"sqlite:///{tmp_path_factory.mktemp('loop') / 'work.db'}", 8)
    loop = loop_of(project, budget=budget, batch_size=2, strategy=Random())
    model, held = Model(), {"ann": [], "bo": []}
    other = {"ann": "bo", "bo": "ann"}
    for step, name, which in steps:
        if step == "ask":
            before = held[name]
            try:
                held[name] = loop.ask(name)
            except QueueEmpty:
                held[name] = []
            if before:
                assert ids(held[name]) == ids(before)
            else:
                assert not set(ids(held[name])) & model.answered()
            assert not set(ids(held[name])) & set(ids(held[other[name]]))
        elif step in ("tell", "unsure", "skip", "discard") and held[name]:
            query = held[name].pop(which % len(held[name]))
            if step == "tell":
                loop.tell(query, LABELS[which % 2])
            elif step == "unsure":
                loop.tell(query, UNSURE)
            else:
                getattr(loop, step)(query)
            model.act(name, query.item_id, "answer" if step == "tell" else step)
        elif step == "undo":
            expected = model.undo(name)
            undone = loop.undo(name)
            assert (undone and (undone.item_id, undone.kind)) == expected
            held[name] = open_(loop, name)
        elif step == "refit":
            loop.refit()
        elif step == "reopen":
            loop = again(project)
            assert ids(open_(loop, name)) == ids(held[name])
        progress, kinds = loop.progress(), list(model.current().values())
        assert progress.answered == len(kinds) - kinds.count("skip")
        assert (progress.unsure, progress.discarded) == (kinds.count("unsure"), kinds.count("discard"))
        assert progress.skipped == kinds.count("skip")
        assert progress.answered + progress.open <= budget
        assert progress.open == len(held["ann"]) + len(held["bo"])
        assert set(human(project)) == {item for (item, _), kind in model.current().items() if kind == "answer"}
        assert loop.done == (progress.answered >= budget or len(model.answered()) == 8)
    while loop.undo("ann") or loop.undo("bo"):
        pass
    assert loop.progress().answered == 0
    assert human(project) == {}
