"""The pool loop: ask, tell, refit, over a ledger that any process may open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from labeling.arguments import whole_number
from labeling.loops.pool.alike import ALIKE, NearDuplicateAnswers
from labeling.loops.pool.answers import SKIP, PoolAnswers
from labeling.loops.pool.ending import Ending
from labeling.loops.pool.held_back import GROUP, SHOWN, HeldBack
from labeling.loops.pool.queue import LEASE_SECONDS, Queue, answers
from labeling.loops.pool.refits import PoolRefits
from labeling.loops.pool.rules_in_force import RulesInForce
from labeling.loops.records import Alike, HeldGroup, LoopProgress, Query, QueueEmpty, Refit
from labeling.loops.refits.history import history_frame, noted, refit_of
from labeling.loops.refits.settings import Settings
from labeling.loops.stopping.forecast import ENOUGH, LEAST, Forecast
from labeling.people.annotations import Annotation, Answer
from labeling.people.answers import Answers, annotator_name
from labeling.people.assignments import FREE, Allowance, Assignments
from storage import Holder

if TYPE_CHECKING:
    from labeling.loops.stopping.rules import StopRule
    from labeling.store.project_store import ProjectStore
    from storage.facts.asking.refit_leases import RefitHolder
    from storage.records import LoopRecord
    from storage.transactions import Connection

DAY = 86_400.0


class PoolLoop:
    """Asks for labels where they help most, round after round.

    Made by `Project.pool_loop`. All state is in the database: any process that
    opens the loop goes on where the last one stopped, with the same next question.
    """

    def __init__(self, store: ProjectStore, record: LoopRecord, settings: Settings, stop: Sequence[StopRule]) -> None:
        self._store = store
        self._ledger = store.ledger
        self._record = record
        self._settings = settings
        self.name = record.name
        self._rules = rules = RulesInForce(store.ledger, record.id, stop)
        self._queue = Queue(store, record.id, record.name, lambda: rules.budget)
        self._assignments = Assignments(store)
        self._said = Answers(store, record.id, record.name)
        self._answers = PoolAnswers(self._said, self._queue)
        self._alike = NearDuplicateAnswers(store, self._said, self._queue)
        self._held_back = HeldBack(store, self._queue)
        self._ending = Ending(store, self._queue, rules, settings.seed)
        self._refits = PoolRefits(store, self._queue, settings)

    @property
    def strategy(self) -> str:
        """The strategy and its parameters, for people."""
        return str(self._record.settings["strategy_text"])

    @property
    def blind(self) -> bool:
        """Whether the loop checks labels: nothing is suggested to the people who answer."""
        return self._settings.blind

    @property
    def seed(self) -> int:
        """The seed of all chance in this loop."""
        return self._settings.seed

    @property
    def batch_size(self) -> int:
        """Answers a round."""
        return self._settings.batch_size

    @property
    def stop(self) -> tuple[StopRule, ...]:
        """The rules that end the loop: those it was made with, or went on with."""
        return self._rules.rules

    @property
    def budget(self) -> int | None:
        """The smallest label budget among the stop rules, None without one."""
        return self._rules.budget

    def ask(
        self,
        annotator: str,
        n: int | None = None,
        *,
        refit: bool = True,
        more: bool = False,
        holder: str | None = None,
        seconds: float = LEASE_SECONDS,
    ) -> list[Query]:
        """Return the annotator's open queries in rank order; open new ones only if there are none.

        Parameters
        ----------
        annotator
            Who is asked. Nobody else is asked the same while the queries are open.
        n
            How many to open, default `batch_size`; never more than the budget leaves.
        refit
            Refit first when a round is complete. False serves from the previous
            ranking, for callers that refit elsewhere.
        more
            Open `n` (default 1) beside those that are open, and return these alone.
        holder
            Of several that ask for one person, the name of this one, as a window of a browser: it is given only what
            was given to it, and what another had whose time ran out. None, the default, is one holder, the same in
            every process.
        seconds
            How long the queries are reserved; asking again, and `hold`, starts the time anew.

        Raises
        ------
        QueueEmpty
            The loop is done, everything left is taken, or the annotator's assignment is; the message says which.
        """
        who = _holder(annotator, holder, seconds)
        size = (1 if more else self.batch_size) if n is None else whole_number("n", n, 1)
        for attempt in range(3):
            # What was skipped comes back where all else was tried.
            skipped_too = not refit or attempt == 2
            found, due = self._asked(who, size, attempt, refit=refit, skipped_too=skipped_too, more=more)
            if due:
                # While another process learns, what it ranked before is asked on.
                found = self._opened(who, size, skipped_too=False, more=more) if self.refitting else []
                if not found:
                    self.refit()
                    found = self._opened(who, size, skipped_too=skipped_too, more=more)
            if found:
                return found
            if not refit:
                break
        raise QueueEmpty(self._queue.why_nothing())

    def _asked(
        self, who: Holder, n: int, attempt: int, *, refit: bool, skipped_too: bool, more: bool
    ) -> tuple[list[Query], bool]:
        """Return what a person holds, or opens now, in one transaction; and whether a refit is due before that."""
        with self._ledger.turn() as turn:
            allowed = self._allowed(turn.connection, who)
            held = [] if more or attempt else self._queue.open(turn.connection, who)
            if held:
                return self._queue.queries(held[: allowed.left]), False
            if (reason := self.stopped) is not None:
                raise QueueEmpty(reason)
            last = self._refits.last
            if last is None or (refit and (attempt > 0 or self._refits.due(last) == 0)):
                return [], True
            n = self._within(turn.connection, who, n, allowed)
            taken = self._queue.take(turn, who, n, last, skipped_too=skipped_too, more=more)
            return self._queue.queries(taken), False

    def _allowed(self, connection: Connection, who: Holder) -> Allowance:
        """Return what somebody's assignment leaves; raise QueueEmpty where that is nothing."""
        allowed = self._assignments.allowance(connection, self._record, who.annotator)
        if not allowed.left:
            raise QueueEmpty(allowed.why)
        return allowed

    def _within(self, connection: Connection, who: Holder, n: int, allowed: Allowance) -> int:
        """Return how many of n questions an assignment leaves beside those that are open; raise where that is none."""
        if allowed.left == FREE.left:
            return n
        left = allowed.left - self._assignments.open(connection, self._record, who.annotator)
        if left <= 0:
            raise QueueEmpty(
                f"All that {who.annotator!r} is assigned in the loop {self.name!r} is open already, perhaps in another "
                "window. Answer that first."
            )
        return min(n, left)

    def _opened(self, who: Holder, n: int, *, skipped_too: bool, more: bool) -> list[Query]:
        """Open queries of the newest refit."""
        with self._ledger.turn() as turn:
            last = self._refits.last
            if last is None:
                return []
            n = self._within(turn.connection, who, n, self._allowed(turn.connection, who))
            return self._queue.queries(self._queue.take(turn, who, n, last, skipped_too=skipped_too, more=more))

    def hold(self, annotator: str, *, holder: str | None = None, seconds: float = LEASE_SECONDS) -> int:
        """Start the time of what somebody holds anew, as a page does while it is open, and return how many that are.

        Parameters
        ----------
        annotator, holder, seconds
            As for `ask`.
        """
        who = _holder(annotator, holder, seconds)
        with self._ledger.turn() as turn:
            return len(self._queue.open(turn.connection, who))

    def query(self, query_id: int) -> Query:
        """Return a query by its id.

        Raises
        ------
        LookupError
            This loop has no such query.
        """
        with self._ledger.read() as connection:
            record = self._ledger.loops.query(connection, query_id)
            answer = self._ledger.annotations.answer_to(connection, query_id)
        if record is None or record.loop_id != self._record.id:
            raise LookupError(f"The loop {self.name!r} has no query {query_id!r}.")
        given = None if answer is None else self._said.annotation(answer)
        return replace(self._queue.queries([record])[0], answer=None if given is None else given.label or given.kind)

    def tell(
        self,
        query: Query,
        label: str | Answer,
        *,
        annotator: str | None = None,
        seconds: float | None = None,
        uuid: str | None = None,
        suggestion_shown: bool = False,
        corrects: str | None = None,
    ) -> Annotation:
        """Record an answer: a class name, or `UNSURE`. It is committed when this returns.

        A second answer to the same query corrects the first. With a `uuid`, an
        answer that is sent twice is stored once.

        Parameters
        ----------
        query
            What was asked.
        label
            A class name, or UNSURE: seen, cannot be decided, not trained on.
        annotator
            Who answers, default who was asked.
        seconds
            How long the person took.
        uuid
            The sender's own id of this answer.
        suggestion_shown
            Whether the model's suggestion was visible.
        corrects
            The UUID of the answer that this one corrects, so that nothing is corrected that its sender has not seen;
            None: whatever this person answered before.

        Raises
        ------
        ValueError
            There is no such label, this loop never asked that (the query is another loop's, another project's or
            another database's), the item was erased, the UUID names something else that was said, or another answer
            of this person stands than the one to correct.
        """
        return self._answers.record(
            query,
            lambda: self._said.said(label),
            annotator,
            seconds=seconds,
            uuid=uuid,
            suggestion_shown=suggestion_shown,
            corrects=corrects,
        )

    def skip(self, query: Query, *, annotator: str | None = None, uuid: str | None = None) -> Annotation:
        """Leave an item to others; it comes back to this person after everything else."""
        return self._answers.record(query, SKIP, annotator, uuid=uuid)

    def discard(
        self, query: Query, *, annotator: str | None = None, uuid: str | None = None, corrects: str | None = None
    ) -> Annotation:
        """Take an item out of the pool: it does not belong here. `corrects` as for `tell`."""
        return self._answers.record(query, ("discard", ()), annotator, uuid=uuid, corrects=corrects)

    def undo(
        self,
        annotator: str,
        *,
        uuid: str | None = None,
        holder: str | None = None,
        seconds: float = LEASE_SECONDS,
    ) -> Annotation | None:
        """Take back the annotator's newest answer, skip or discard in this loop; its query is open again.

        What was done in one step, an answer taken over for near-duplicates or a group discarded or welcomed,
        is taken back as one; `together` of what is returned says how many that were.
        Where somebody else has the item by now, or the budget is with others, the
        query stays closed.

        Parameters
        ----------
        annotator
            Who.
        uuid
            The sender's own id of this step back: what is sent twice is taken back once.
        holder, seconds
            Who holds the query then, and for how long, as for `ask`.

        Returns
        -------
        Annotation | None
            What was taken back; None if there is nothing left to take back.
        """
        return self._answers.undo(_holder(annotator, holder, seconds), uuid)

    def undo_step(self, uuid: str, annotator: str) -> Annotation | None:
        """Take back what was done in one step, whatever this person did since.

        Parameters
        ----------
        uuid
            The id under which the step was done, as given to `discard_group` or `welcome_group`.
        annotator
            Who did it.

        Returns
        -------
        Annotation | None
            One of what was taken back, with `together` for how many; None if nothing of the step stands.

        Raises
        ------
        LookupError
            Somebody else did it, or in another loop.
        """
        return self._answers.undo_step(uuid, annotator)

    def alike(self, query: Query | int, limit: int = 100) -> list[Alike]:
        """Return near-duplicates of an item that its answer may hold for as well, the most similar first.

        Only such as nobody answered or is asked right now, and that are not held out. Nothing is recorded:
        `tell_alike` does that for those that a person chose.

        Parameters
        ----------
        query
            A query, whose near-duplicates were noted when it was ranked; or the id of an item.
        limit
            At most so many.

        Returns
        -------
        list[Alike]
            item_id, similarity (the share of words and pairs of words that both texts have), item.
        """
        return self._alike.offered(query, limit)

    def tell_alike(
        self,
        source: Annotation | Query,
        item_ids: Sequence[int],
        *,
        annotator: str | None = None,
        uuid: str | None = None,
    ) -> list[Annotation]:
        """Record the answer to one item for near-duplicates of it that a person chose, in one step.

        Each gets an annotation of its own that says where the answer was taken over from (`origin` "alike"
        in `Project.annotations`, `taken_over` in an export). These are labels to learn from, but cost
        nobody's time: they count neither towards a budget nor towards a round. `undo` takes back all of one
        step; to take back one of them, ask for it and answer otherwise.

        Parameters
        ----------
        source
            The answer, or the query that was answered: a class, unsure, or a discard.
        item_ids
            Some of those that `alike` offers. What somebody answered or was asked in between is left out.
        annotator
            Who says so, default who answered.
        uuid
            The sender's own id of this step: what is sent twice is stored once.

        Returns
        -------
        list[Annotation]
            Those recorded.

        Raises
        ------
        ValueError
            The query has no answer that stands, or an item is no near-duplicate.
        """
        return self._alike.take_over(source, item_ids, annotator=annotator, uuid=uuid)

    def groups(self, shown: int = SHOWN) -> list[HeldGroup]:
        """Return the groups of items that the newest refit held back, the largest first.

        There are such where the loop's strategy is, or contains, an `OutlierGuard`. What was answered,
        discarded or welcomed since is left out. Nothing is computed: the groups were stored by the refit.

        Parameters
        ----------
        shown
            Show so many items of each, drawn evenly.
        """
        return self._held_back.groups(shown)

    def group_items(self, group_id: str, start: int = 0, n: int = SHOWN) -> list[dict[str, Any]]:
        """Return the items of a group that are still open, some at a time.

        Parameters
        ----------
        group_id
            The group.
        start
            How many to pass over.
        n
            How many to return at most.

        Raises
        ------
        LookupError
            There is no such group.
        """
        return self._held_back.group_items(group_id, start, n)

    def discard_group(
        self,
        group_id: str,
        annotator: str,
        *,
        only: Iterable[int] | None = None,
        but: Iterable[int] = (),
        uuid: str | None = None,
    ) -> int:
        """Take a whole group out of the pool: its items do not belong here. Return how many there were.

        One step, which `undo` takes back as one, and `undo_step` under its UUID whatever came after it. It counts
        neither towards a budget nor towards a round.

        Parameters
        ----------
        group_id
            The group.
        annotator
            Who says so.
        only
            Only these of its items; None: all.
        but
            All but these.
        uuid
            The sender's own id of this step; sent twice, it is done once.

        Raises
        ------
        LookupError
            There is no such group.
        ValueError
            The items have nothing in common but that each is alone: they are no group, and are discarded by `only`.
        """
        return self._held_back.discard(group_id, annotator, only=only, but=but, uuid=uuid)

    def welcome_group(
        self,
        group_id: str,
        annotator: str,
        *,
        only: Iterable[int] | None = None,
        but: Iterable[int] = (),
        uuid: str | None = None,
    ) -> int:
        """Say that a whole group belongs: from the next refit on it is asked like anything else.

        Return how many items there were. One step, which `undo` takes back as one. The arguments are those of
        `discard_group`.

        Raises
        ------
        LookupError
            There is no such group.
        """
        return self._held_back.welcome(group_id, annotator, only=only, but=but, uuid=uuid)

    def refit(self) -> Refit:
        """Train on all labels so far, score on the hold-out, and commit a ranking.

        One process refits a loop at a time; a second one waits and returns what
        the first found. Where nothing changed since the last refit, that is returned.
        """
        return self._refits.refit()

    @property
    def round_complete(self) -> bool:
        """Whether a refit is due: a batch was answered since the last one, its ranking is used up, or there is none."""
        return self._refits.round_complete

    @property
    def refitting(self) -> bool:
        """Whether some process refits this loop right now."""
        return self.refitter is not None

    @property
    def refitter(self) -> RefitHolder | None:
        """The process that refits this loop right now: on which machine, its number, for how many seconds."""
        return self._ledger.refit_leases.held(self._record.id)

    def holders(self) -> pl.DataFrame:
        """Return who holds questions of this loop right now, whoever has held them the longest first.

        Returns
        -------
        pl.DataFrame
            `annotator`, `holder` (None for the default one of a person), `questions` (how many), `since` (UTC, when
            the first of them was asked) and `seconds` (how long it stays theirs if nothing happens).
        """
        return self._queue.holders()

    @property
    def newest(self) -> Refit | None:
        """The newest refit, None before the first."""
        last = self._refits.last
        return None if last is None else refit_of(last)

    def give_up_refit(self, process: int) -> None:
        """Let others refit after a process of this machine, named by its number, died while it did."""
        self._ledger.refit_leases.give_up(self._record.id, process)

    @property
    def done(self) -> bool:
        """Whether a stop rule fired, or the pool is exhausted."""
        return self.stopped is not None

    @property
    def stopped(self) -> str | None:
        """Why the loop is done, None while it goes on."""
        with self._ledger.view():
            return self._ending.stopped

    def go_on(
        self,
        answers: int | None = None,
        *,
        stop: Sequence[StopRule] | None = None,
        annotator: str | None = None,
    ) -> tuple[StopRule, ...]:
        """Go on after a stop rule fired, or with other rules; return those the loop has now.

        It is a fact in the ledger: every process that has the loop open goes on, and `history` notes it.

        Parameters
        ----------
        answers
            So many more: a budget that is used up is raised by as many, any other rule that fired is
            looked at again after as many. Rules that did not fire stay as they are.
        stop
            Other rules instead of all there are; an empty list: until the pool is exhausted.
        annotator
            Who decided that.

        Raises
        ------
        ValueError
            Neither or both were given; nothing has fired; or a score has no hold-out.

        Examples
        --------
        >>> import tempfile
        >>> import polars as pl
        >>> from labeling import LabelBudget, Project
        >>> from strategies import Random
        >>> project = Project.create("p", ["ok", "spam"], storage=f"sqlite:///{tempfile.mkdtemp()}/work.db")
        >>> report = project.add_items(pl.DataFrame({"text": ["one", "two", "three"]}))
        >>> loop = project.pool_loop("l", strategy=Random(), stop=[LabelBudget(1)])
        >>> answer = loop.tell(loop.ask("ann")[0], "ok")
        >>> loop.stopped
        'The budget of 1 labels is used.'
        >>> loop.go_on(2)
        (LabelBudget(labels=3),)
        >>> loop.stopped is None
        True
        """
        return self._ending.go_on(answers, stop=stop, annotator=annotator)

    def forecast(
        self, *, people: int | None = None, hours_a_day: float | None = None, now: datetime | None = None
    ) -> Forecast:
        """Return the answers, hours and days that are left, and the score to expect, with intervals of 90 %.

        Also before the first answer: what is not measured yet is assumed, and `notes` say so. The score
        follows the learning curve so far (see `fit_curve`); after fewer than four scored rounds there is
        none. ``str()`` reads like "9,400 answers, done Thursday 15:00, expected 93 % (91 to 95)".

        Parameters
        ----------
        people, hours_a_day
            Who shares the work, and how long each works a day; default as in the last seven days.
        now
            The moment to start from, with a zone; default now, in this machine's zone.
        """
        return self._ending.forecast(people=people, hours_a_day=hours_a_day, now=now)

    def progress(self, annotator: str | None = None) -> LoopProgress:
        """Return where the loop stands; with an annotator, the person's pace."""
        with self._ledger.view() as connection:
            return self._progress(connection, annotator)

    def _progress(self, connection: Connection, annotator: str | None) -> LoopProgress:
        tally = self._ledger.loops.tally(connection, self._record.id)
        last = self._refits.last
        people = {name: id_ for id_, name in self._ledger.annotations.annotators().items()}
        pace = None
        assigned = self._assignments.assigned(connection, self._record, annotator) if annotator else None
        annotator = self._ledger.annotations.called(connection, annotator_name(annotator)) if annotator else None
        if annotator in people:
            count, seconds = self._ledger.loops.pace(self._record.id, people[annotator], least=LEAST)
            pace = 60.0 * count / seconds if count >= ENOUGH else None
        return LoopProgress(
            answered=answers(tally),
            unsure=tally["unsure"],
            discarded=tally["discard"],
            skipped=tally["skip"],
            open=tally["open"],
            budget=self.budget,
            round=0 if last is None else last.round,
            due=self.batch_size if last is None else self._refits.due(last),
            pace=pace,
            alike=tally.get(ALIKE, 0),
            screened=tally.get(GROUP, 0),
            left=self._ending.left(answers(tally)),
            assigned=assigned,
        )

    def history(self) -> pl.DataFrame:
        """Return a row a refit that trained a classifier, or says in its notes why it could not.

        Columns: round, labels (people's, trained on), alike (answers of these that were
        taken over for near-duplicates), weak_labels, strategy;
        accuracy with its interval of 95 %, f1_macro, average_precision and
        calibration_error on the hold-out (null without one), judged (hold-out
        items); agreement (Cohen's kappa with the round before, over the pool),
        uncertainty (mean entropy of the open items, in [0, 1]), seconds;
        asked_<class> (labels so far), precision_<class>, recall_<class>,
        average_precision_<class>; shares (of each strategy in the batch), notes, at.
        """
        loops = self._ledger.loops
        refits = noted(loops.refits(self._record.id), loops.changes(self._record.id))
        return history_frame(refits, self._store.label_set)

    def __repr__(self) -> str:
        return f"PoolLoop({self.name!r}, {self.strategy}, batch_size={self.batch_size})"


def _holder(annotator: str, name: str | None, seconds: float) -> Holder:
    """Return who asks; raise for what is no name and no time."""
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise ValueError(f"A holder is a name or None, got {name!r}.")
    if not 1.0 <= float(seconds) <= DAY:
        raise ValueError(f"Queries are reserved for 1 second to a day, got seconds={seconds!r}.")
    return Holder(annotator_name(annotator), name, float(seconds))
