import polars as pl
import pytest
from sqlalchemy import update

from labeling import UNSURE, QueueEmpty
from storage import tables
from tests.labeling.pool_loops import again, expire_leases, human, ids, loop_of, project_of


@pytest.fixture
def project(storage_url):
    return project_of(storage_url)


def test_an_answer_is_a_fact_with_its_circumstances(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    annotation = loop.tell(query, "offensive", seconds=2.5, uuid="u-1", suggestion_shown=True)
    assert (annotation.kind, annotation.label, annotation.annotator) == ("answer", "offensive", "ann")
    assert annotation.query_id == query.id
    row = project.annotations().row(0, named=True)
    assert (row["item_id"], row["seconds"], row["uuid"], row["loop"]) == (query.item_id, 2.5, "u-1", "l")
    assert human(project) == {query.item_id: "offensive"}
    assert loop.query(query.id).answer == "offensive"


def test_an_answer_sent_twice_is_stored_once(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    first, second = (loop.tell(query, "ok", uuid="u-1") for _ in range(2))
    assert first == second
    assert project.annotations().height == 1
    assert loop.progress().answered == 1


def test_a_second_answer_corrects_the_first_and_undo_brings_it_back(project):
    loop = loop_of(project, budget=5)
    query = loop.ask("ann")[0]
    loop.tell(query, "ok")
    loop.tell(query, "offensive")
    assert human(project) == {query.item_id: "offensive"}
    assert loop.progress().answered == 1
    assert loop.undo("ann").label == "offensive"
    assert human(project) == {query.item_id: "ok"}
    assert (loop.progress().answered, loop.progress().open) == (1, 2)
    assert loop.undo("ann").label == "ok"
    assert human(project) == {}
    assert loop.undo("ann") is None
    assert project.annotations()["kind"].to_list() == ["answer", "answer", "undo", "undo"]


def test_unsure_counts_as_an_answer_and_is_no_label(project):
    loop = loop_of(project, budget=2)
    first, second = loop.ask("ann")
    loop.tell(first, UNSURE)
    loop.tell(second, "ok")
    assert loop.stopped == "The budget of 2 labels is used."
    assert human(project) == {second.item_id: "ok"}
    assert (loop.progress().answered, loop.progress().unsure) == (2, 1)
    assert loop.query(first.id).answer == "unsure"
    assert loop.refit().labels == 1


def test_a_discarded_item_leaves_the_pool_the_labels_and_the_export(project, tmp_path):
    loop = loop_of(project, batch_size=6)
    first = loop.ask("ann")[0]
    loop.discard(first)
    rest = ids(loop.ask("ann")) + ids(loop.ask("bo", 12))
    assert sorted([first.item_id, *rest]) == list(range(1, 13))
    assert project.discarded() == {first.item_id}
    project.export(tmp_path / "out.jsonl")
    assert first.item_id not in pl.read_ndjson(tmp_path / "out.jsonl")["item_id"].to_list()


def test_a_skipped_item_goes_to_others_and_comes_back_last(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.skip(first)
    loop.tell(second, "ok")
    loop.tell(third, "ok")
    assert ids(loop.ask("bo", 1)) == [first.item_id]
    loop.skip(loop.ask("bo")[0])
    seen = []
    while not loop.done:
        for query in loop.ask("ann"):
            seen.append(query.item_id)
            loop.tell(query, "ok")
    assert seen[-1] == first.item_id
    assert sorted([*seen, second.item_id, third.item_id]) == list(range(1, 13))


def test_an_answer_by_somebody_else_frees_the_item_from_who_was_asked(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "ok", annotator="bo")
    assert ids(loop.ask("ann")) == [second.item_id, third.item_id]
    assert project.annotations()["annotator"].to_list() == ["bo"]


def test_leases_that_expired_go_to_others_and_late_answers_are_kept(project):
    loop = loop_of(project, batch_size=12)
    queries = loop.ask("ann")
    with pytest.raises(QueueEmpty):
        loop.ask("bo")
    expire_leases(project)
    assert ids(loop.ask("bo")) == ids(queries)
    loop.tell(queries[0], "ok")
    assert human(project) == {queries[0].item_id: "ok"}


def test_asking_again_starts_the_time_of_a_lease_anew(project):
    loop = loop_of(project)
    queries = loop.ask("ann")
    with project.ledger.unstamped() as connection:
        soon = tables.leases.c.expires_at - 1700.0
        connection.execute(update(tables.leases).values(expires_at=soon))
        before = connection.exec_driver_sql("SELECT max(expires_at) FROM leases").scalar()
    loop.ask("ann")
    with project.ledger.read() as connection:
        after = connection.exec_driver_sql("SELECT min(expires_at) FROM leases").scalar()
    assert after > before + 1600
    assert ids(loop.ask("ann")) == ids(queries)


def test_two_annotators_share_one_budget_exactly(project):
    loop = loop_of(project, budget=5, batch_size=3)
    ann, bo = loop.ask("ann"), loop.ask("bo")
    assert (len(ann), len(bo)) == (3, 2)
    with pytest.raises(QueueEmpty, match="The 5 answers left in the budget of 5 are with other annotators"):
        loop.ask("cy")
    loop.skip(bo[0])
    (given,) = loop.ask("cy")
    for query in (*ann, bo[1], given):
        assert not loop.done
        loop.tell(query, "ok")
    assert loop.done
    with pytest.raises(QueueEmpty, match="The budget of 5 labels is used"):
        loop.ask("ann")


def test_undoing_a_skip_whose_place_in_the_budget_is_taken_opens_nothing(project):
    loop = loop_of(project, budget=1)
    (mine,) = loop.ask("ann")
    loop.skip(mine)
    (yours,) = loop.ask("bo")
    assert loop.undo("ann").kind == "skip"
    with pytest.raises(QueueEmpty):
        loop.ask("ann")
    loop.tell(yours, "ok")
    assert loop.progress().answered == 1
    assert loop.done


def test_undoing_a_skip_of_what_somebody_answered_opens_nothing(project):
    loop = loop_of(project, batch_size=1)
    (mine,) = loop.ask("ann")
    loop.skip(mine)
    (theirs,) = loop.ask("bo")
    assert theirs.item_id == mine.item_id
    loop.tell(theirs, "ok")
    loop.undo("ann")
    assert mine.item_id not in ids(loop.ask("ann"))


def test_undo_reopens_the_question_and_gives_the_place_in_the_budget_back(project):
    loop = loop_of(project, budget=2)
    first, second = loop.ask("ann")
    loop.tell(first, "ok")
    loop.tell(second, "ok")
    assert loop.done
    loop.undo("ann")
    assert not loop.done
    assert ids(loop.ask("ann")) == [second.item_id]
    loop.tell(loop.ask("ann")[0], "offensive")
    assert human(project) == {first.item_id: "ok", second.item_id: "offensive"}


def test_each_takes_back_only_their_own(project):
    loop = loop_of(project)
    query = loop.ask("ann")[0]
    loop.tell(query, "ok")
    assert loop.undo("bo") is None
    assert human(project) == {query.item_id: "ok"}


def test_a_class_added_in_the_middle_can_be_answered_and_learned(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "ok")
    project.add_label("spam")
    loop.tell(second, "spam")
    loop.tell(third, "offensive")
    loop.refit()
    assert human(project) == {first.item_id: "ok", second.item_id: "spam", third.item_id: "offensive"}
    assert set(loop.ask("ann")[0].probabilities) == {"ok", "offensive", "spam"}
    assert loop.history()["asked_spam"].to_list() == [1]


def test_a_class_renamed_in_the_middle_keeps_its_answers(project):
    loop = loop_of(project)
    first, second, third = loop.ask("ann")
    loop.tell(first, "offensive")
    project.rename_label("offensive", "abusive")
    loop.tell(second, "abusive")
    loop.tell(third, "offensive")
    assert set(human(project).values()) == {"abusive"}
    loop.refit()
    assert loop.history()["asked_abusive"].to_list() == [3]


def test_an_unknown_label_is_refused_with_the_known_ones(project):
    query = loop_of(project).ask("ann")[0]
    with pytest.raises(ValueError, match=r"'ofensive'.*'ok', 'offensive'.*mean 'offensive'"):
        again(project).tell(query, "ofensive")
    with pytest.raises(TypeError, match="name of a class or UNSURE, got 1"):
        again(project).tell(query, 1)
    assert project.annotations().height == 0


def test_a_query_of_another_loop_is_refused(project):
    query = loop_of(project).ask("ann")[0]
    other = loop_of(project, name="other")
    with pytest.raises(ValueError, match="belongs to the loop 'l', not to 'other'"):
        other.tell(query, "ok")
    with pytest.raises(LookupError, match="no query"):
        other.query(query.id)


def test_an_answer_after_the_item_went_to_somebody_else_is_kept_and_counts_while_nothing_else_does(project):
    loop = loop_of(project, budget=12)
    late, kept = loop.ask("ann", 2)
    expire_leases(project)
    (taken,) = [query for query in loop.ask("bob", 1) if query.item_id == late.item_id]
    loop.tell(late, "offensive")
    assert human(project) == {late.item_id: "offensive"}
    loop.tell(taken, "ok")
    assert human(project) == {late.item_id: "ok"}
    loop.tell(kept, "ok")
    facts = project.annotations()
    assert facts["late"].to_list() == [True, False, False]
    loop.undo("bob")
    assert human(project)[late.item_id] == "offensive"


def test_who_corrects_an_answer_given_in_time_is_not_late(project):
    loop = loop_of(project, budget=12)
    (mine,) = loop.ask("ann", 1)
    loop.tell(mine, "ok")
    loop.tell(mine, "offensive")
    expire_leases(project)
    loop.ask("bob", 3)
    loop.tell(mine, "ok")
    assert not project.annotations()["late"].any()
