from __future__ import annotations

from pathlib import Path

import pytest

from labeling import Project
from labeling.demo import __main__ as demo_module
from labeling.demo import digits as demo_digits
from labeling.demo import forum
from labeling.demo.digits import create_digits
from labeling.demo.forum import LOOP, NAME, create_demo


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"


@pytest.fixture(scope="module")
def demo(storage: str) -> Project:
    return create_demo(storage)


def test_the_demo_holds_the_posts_and_the_rules_of_twenty_experts(demo: Project) -> None:
    status = demo.status()
    assert 2900 < status.items < 3000
    assert len({info.expert for info in demo.functions()}) == 20
    assert all(label.definition for label in demo.classes)


def test_its_weak_labels_are_good_but_leave_something_to_learn(demo: Project) -> None:
    gold = demo.labels(source="gold").select("item_id", gold="label")
    joined = demo.weak_run().frame().join(gold, on="item_id")
    assert 0.80 < (joined["label"] == joined["gold"]).mean() < 0.88


def test_making_it_again_changes_nothing(demo: Project, storage: str) -> None:
    before = demo.version()
    assert create_demo(storage).version() == before


def test_an_interrupted_run_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = f"sqlite:///{tmp_path / 'demo.db'}"

    def interrupt() -> list[object]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(forum, "demo_functions", interrupt)
        with pytest.raises(KeyboardInterrupt):
            create_demo(storage, posts=200)
    project = create_demo(storage, posts=200)
    assert [loop.name for loop in project.loops()] == [LOOP]
    assert project.status().items == len(project.items())
    assert project.status().functions == 48


def test_nobody_gets_a_demo_beside_their_own_projects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = f"sqlite:///{tmp_path / 'work.db'}"
    Project.create("mine", labels=["a", "b"], storage=storage)
    monkeypatch.setenv("LABELING_STORAGE", storage)
    demo_module.main()
    assert [info.name for info in Project.list(storage)] == ["mine"]
    assert "mine" in capsys.readouterr().out


def test_both_demos_are_made_where_there_is_no_project_and_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = f"sqlite:///{tmp_path / 'empty.db'}"
    monkeypatch.setenv("LABELING_STORAGE", storage)
    monkeypatch.setattr(demo_module, "create_demo", lambda storage: create_demo(storage, posts=60))
    monkeypatch.setattr(demo_digits, "create_digits", lambda storage: create_digits(storage, pictures=60))
    for _ in range(2):
        demo_module.main()
        assert [info.name for info in Project.list(storage)] == [NAME, demo_digits.NAME]
    assert "60 pictures" in capsys.readouterr().out


def test_two_hundred_answers_beat_the_experts(demo: Project) -> None:
    truth = dict(demo.labels(source="gold").select("item_id", "label").iter_rows())
    loop = demo.pool_loop(LOOP)
    while loop.progress().answered < 200:
        for query in loop.ask(annotator="ann", n=40):
            loop.tell(query, truth[query.item_id])
        loop.refit()
    history = loop.history()
    assert history["labels"].to_list()[-1] == 200
    assert history["accuracy"].to_list()[-1] > 0.9
    assert NAME in {info.name for info in Project.list(demo.storage)}
