import hashlib
import json

import numpy as np
import polars as pl
import pytest

from labeling import ABSTAIN, MajorityVote, Project, keyword, labeling_function, regex, when
from labeling.arrays import BLOCK, pack
from labeling.store.snapshots import snapshots
from labeling.votes import applying
from storage import Ledger
from storage.facts.items import ItemFacts
from storage.records import VoteBlock

LABELS = ["ok", "offensive"]
TEXTS = ["you idiot", "good morning", "IDIOT", "see you"]


@pytest.fixture
def project(storage_url):
    project = Project.create("p", LABELS, storage=storage_url)
    project.add_items(pl.DataFrame({"text": TEXTS}))
    return project


@pytest.fixture
def local(sqlite_url):
    project = Project.create("p", LABELS, storage=sqlite_url)
    project.add_items(pl.DataFrame({"text": TEXTS}))
    return project


def digest_of(spec):
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()


def again(project):
    """The project as a process opens it that has none of the code, and has computed nothing."""
    snapshots._kept.clear()
    return Project(Ledger.open(project.ledger.full_url, "p"))


@labeling_function(expert="ann", labels=LABELS)
def short(row):
    return "ok" if len(row["text"]) < 8 else ABSTAIN


insult = keyword("insult", ["idiot"], "offensive", expert="bo")


def fails_on_five(row):
    if "5" in row["text"]:
        raise RuntimeError("five")
    return "ok"


@pytest.mark.parametrize("executor", ["threads", "processes", "dask"])
def test_votes_are_computed_where_an_executor_runs_and_kept(executor, sqlite_url, monkeypatch, request):
    monkeypatch.setattr(applying, "PIECE", 7)
    engine = request.getfixturevalue("dask_executor") if executor == "dask" else executor
    fails = labeling_function(labels=LABELS)(fails_on_five)
    frame = pl.DataFrame({"text": [f"{TEXTS[n % 4]} {n}" for n in range(30)], "gold": LABELS * 15})
    found = {}
    for name, where in (("here", None), ("there", engine)):
        project = Project.create(name, LABELS, storage=sqlite_url)
        project.add_items(frame, gold="gold")
        project.add_functions([insult, short, fails])
        matrix = project.label_matrix(executor=where)
        found[name] = (matrix.values.tolist(), matrix.sources[2].faults)
        assert project.weak_label(MajorityVote(), executor=where).balance().height
        # What is kept is asked of nobody again: an executor that is none would be refused.
        assert project.label_matrix(executor="nobody").values.tolist() == found[name][0]
    assert found["here"] == found["there"]
    assert found["here"][1].count == 3
    project.add_items(pl.DataFrame({"text": ["you idiot again"], "gold": ["ok"]}), gold="gold")
    with pytest.raises(ValueError, match="No executor 'nobody'"):
        project.label_matrix(executor="nobody")
    assert project.label_matrix(executor=engine).values[-1].tolist() == [1, -1, 0]


def test_functions_are_added_once(project):
    report = project.add_functions([insult, short])
    assert (report.added, report.changed, report.unchanged) == (("insult", "short"), (), ())
    report = again(project).add_functions([insult, short])
    assert (report.added, report.changed, report.unchanged) == ((), (), ("insult", "short"))
    assert [(f.name, f.expert, f.version) for f in project.functions()] == [("insult", "bo", 1), ("short", "ann", 1)]


@pytest.mark.parametrize(
    "changed",
    [
        keyword("insult", ["idiot", "fool"], "offensive", expert="bo"),
        keyword("insult", ["idiot"], "ok", expert="bo"),
        keyword("insult", ["idiot"], "offensive", expert="cy"),
        regex("insult", "idiot", "offensive", expert="bo"),
    ],
    ids=["words", "label", "expert", "kind"],
)
def test_a_changed_function_is_a_new_version(local, changed):
    local.add_functions([insult])
    report = local.add_functions([changed])
    assert (report.added, report.changed) == ((), ("insult",))
    assert [version.version for version in local.ledger.functions.versions("insult")] == [1, 2]
    (info,) = local.functions()
    assert (info.kind, info.expert, info.label, info.version) == (changed.kind, changed.expert, changed.label, 2)


def test_changed_code_is_a_new_version_with_votes_of_its_own(project):
    def make(limit):
        @labeling_function("short", labels=LABELS)
        def short(row):
            return "ok" if len(row["text"]) < limit else ABSTAIN

        return short

    project.add_functions([make(6)])
    assert project.label_matrix().values[:, 0].tolist() == [-1, -1, 0, -1]
    assert project.add_functions([make(6)]).unchanged == ("short",)
    assert project.add_functions([make(8)]).changed == ("short",)
    assert project.label_matrix().values[:, 0].tolist() == [-1, -1, 0, 0]


def test_a_removed_function_votes_no_more_and_comes_back_with_its_history(project):
    project.add_functions([insult, short])
    project.remove_function("insult")
    assert [f.name for f in project.functions()] == ["short"]
    assert [source.name for source in project.label_matrix().sources] == ["short"]
    assert project.add_functions([insult]).added == ("insult",)
    assert [(v.version, v.active) for v in project.ledger.functions.versions("insult")] == [
        (1, True),
        (2, False),
        (3, True),
    ]
    assert project.label_matrix().values[:, 0].tolist() == [1, -1, 1, -1]
    with pytest.raises(ValueError, match=r"no labeling function 'insulting'.*'insult', 'short'"):
        project.remove_function("insulting")


def test_rules_that_are_data_run_in_any_process(project):
    project.add_functions([insult])
    opened = again(project)
    assert opened.functions()[0].loaded
    assert opened.label_matrix().values.tolist() == [[1], [-1], [1], [-1]]


def test_cached_votes_of_code_serve_without_it_and_new_items_are_reported(project):
    project.add_functions([short])
    project.label_matrix()
    opened = again(project)
    matrix = opened.label_matrix()
    assert matrix.values[:, 0].tolist() == [-1, -1, 0, 0]
    assert matrix.sources[0].loaded
    assert not opened.functions()[0].loaded
    opened.add_items(pl.DataFrame({"text": ["hi"]}))
    matrix = opened.label_matrix()
    assert matrix.values[:, 0].tolist() == [-1, -1, 0, 0, -1]
    assert not matrix.sources[0].loaded
    assert opened.add_functions([short]).unchanged == ("short",)
    matrix = opened.label_matrix()
    assert matrix.values[:, 0].tolist() == [-1, -1, 0, 0, 0]
    assert matrix.sources[0].loaded
    assert again(project).label_matrix().values[:, 0].tolist() == [-1, -1, 0, 0, 0]


def test_cached_votes_are_not_computed_again(project):
    calls = []

    @labeling_function("counted", labels=LABELS, version=1)
    def counted(row):
        calls.append(row["text"])
        return "ok"

    project.add_functions([counted])
    project.label_matrix()
    project.label_matrix()
    opened = again(project)
    opened.add_functions([counted])
    opened.add_items(pl.DataFrame({"text": ["new"]}))
    opened.label_matrix()
    assert sorted(calls) == sorted([*TEXTS, "new"])


def test_an_exception_is_counted_and_abstains(project):
    @labeling_function("breaks", labels=LABELS)
    def breaks(row):
        return "ok" if row["text"][8:] else 1 / 0

    project.add_functions([breaks])
    for matrix in (project.label_matrix(), again(project).label_matrix()):
        assert matrix.values[:, 0].tolist() == [0, 0, -1, -1]
        assert (matrix.sources[0].faults.count, matrix.sources[0].faults.first_row) == (2, 2)


def test_a_renamed_class_keeps_its_votes(project):
    project.add_functions([insult, short])
    before = project.label_matrix().values.tolist()
    project.rename_label("offensive", "abusive")
    project.add_label("spam")
    for opened in (project, again(project)):
        matrix = opened.label_matrix()
        assert matrix.values.tolist() == before
        assert matrix.labels == ("ok", "abusive", "spam")
        assert opened.functions()[0].label == "abusive"
    assert project.add_functions([keyword("insult", ["idiot"], "abusive", expert="bo")]).unchanged == ("insult",)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (keyword("x", ["a"], "ofensive"), "'ofensive'.*offensive"),
        (keyword("x", ["a"], "ok", column="txt"), "'txt'.*text"),
        (when("x", pl.col("lenght") > 3, "ok"), "'lenght'"),
    ],
    ids=["label", "column", "column of an expression"],
)
def test_a_function_that_cannot_run_is_refused_and_nothing_kept(local, function, hint):
    with pytest.raises(ValueError, match=hint):
        local.add_functions([insult, function])
    assert local.functions() == []


def test_a_name_twice_in_one_call_is_refused(local):
    with pytest.raises(ValueError, match="insult"):
        local.add_functions([insult, keyword("insult", ["fool"], "offensive")])
    assert local.functions() == []


def test_functions_do_not_see_private_columns(local):
    local.add_items(pl.DataFrame({"text": ["x"], "mail": ["a@b"]}), private=["mail"])
    with pytest.raises(ValueError, match="'mail'"):
        local.add_functions([keyword("x", ["a"], "ok", column="mail")])


def test_a_preview_keeps_nothing(local):
    local.add_functions([short])
    local.add_items(pl.DataFrame({"text": TEXTS, "label": ["offensive", "ok", "ok", "ok"]}), gold="label")
    version = local.version()
    preview = local.preview(insult)
    assert (preview.matches, preview.coverage) == (2, 0.5)
    assert (preview.overlaps, preview.conflicts) == (0.25, 0.25)
    assert (preview.accuracy, preview.gold_matches) == (0.5, 2)
    assert preview.examples.select("text", "vote", "gold", "conflict").rows() == [
        ("you idiot", "offensive", "offensive", False),
        ("IDIOT", "offensive", "ok", True),
    ]
    assert [f.name for f in local.functions()] == ["short"]
    assert local.version() - version <= 1  # the votes of `short`, which the preview compares with


def test_gold_that_is_held_out_reaches_no_statistic(local):
    texts = [f"idiot {n}" for n in range(10)]
    local.add_items(pl.DataFrame({"text": texts, "label": ["offensive"] * 10}), gold="label")
    local.set_holdout(0.4, seed=1)
    assert local.preview(insult).gold_matches == 6
    local.add_functions([insult])
    assert int((local.label_matrix().gold >= 0).sum()) == 6


def test_a_class_that_comes_later_is_voted_for_from_then_on(local):
    @labeling_function("greets", version=1)
    def greets(row):
        return "greeting" if "morning" in row["text"] else ABSTAIN

    local.add_functions([greets])
    first = local.label_matrix()
    assert first.values[:, 0].tolist() == [-1, -1, -1, -1]
    assert first.sources[0].faults.count == 1
    local.add_label("greeting")
    assert local.label_matrix().values[:, 0].tolist() == [-1, 2, -1, -1]


def test_weak_labels_of_no_functions_are_refused(local):
    with pytest.raises(ValueError, match="no labeling functions: add some with add_functions"):
        local.weak_label(MajorityVote())


def test_faults_are_still_known_when_new_items_came(local):
    @labeling_function("breaks", labels=LABELS)
    def breaks(row):
        return "ok" if row["text"][8:] else 1 / 0

    local.add_functions([breaks])
    local.label_matrix()
    local.add_items(pl.DataFrame({"text": ["long enough"]}))
    local.label_matrix()
    assert again(local).label_matrix().sources[0].faults.count == 2


def test_votes_from_when_a_rule_found_one_form_of_a_word_are_asked_again(local):
    local.add_items(pl.DataFrame({"text": ["cafe\u0301", "caf\u00e9"]}))
    local.add_functions([keyword("cafe", ["caf\u00e9"], "ok"), insult])
    facts = local.ledger.functions
    accented, plain = facts.current()
    old = {"name": "cafe", "active": True, "kind": "keyword", "expert": None, "spec": dict(accented.spec)}
    facts.add_versions([old | {"fingerprint": digest_of(accented.spec)}])
    before = next(record for record in facts.current() if record.name == "cafe")
    assert plain.fingerprint == digest_of(plain.spec)
    nothing = pack(np.full(BLOCK, -1, dtype=np.int16), "<i2")
    facts.add_votes([VoteBlock(record.version_id, 0, 6, nothing, {}, 0.0) for record in (before, plain)])
    votes = again(local).label_matrix()
    assert [source.name for source in votes.sources] == ["cafe", "insult"]
    assert votes.values[:, 0].tolist() == [-1, -1, -1, -1, 0, 0]
    assert (votes.values[:, 1] == -1).all()  # kept from before, as its words mean the same
    assert again(local).add_functions([keyword("cafe", ["caf\u00e9"], "ok")]).changed == ("cafe",)


def test_votes_that_are_kept_are_looked_up_without_reading_what_items_hold(local, monkeypatch):
    local.add_functions([short])
    before = local.label_matrix(progress=False).values

    def refuse(*_arguments, **_options):
        raise AssertionError("items were read")

    reopened = again(local)
    monkeypatch.setattr(ItemFacts, "blocks", refuse)
    monkeypatch.setattr(ItemFacts, "rows", refuse)
    assert reopened.label_matrix(progress=False).values.tolist() == before.tolist()
