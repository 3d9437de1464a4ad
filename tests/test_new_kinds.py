"""A new kind is one class and one line in its list: pages, commands, messages and shared tests follow."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

import labeling
import strategies
from labeling import Project, StopRule, keyword
from labeling.formats.export_format import ExportFormat
from labeling.formats.writing import export_formats
from labeling.functions import rules
from labeling.loops.stopping import rules as stopping
from labeling.loops.stopping.rules import Setting
from labeling.votes.label_models import LABEL_MODELS
from labeling.votes.label_models.base import Fit, PatternModel
from tests.labeling.shell import Shell
from tests.strategies import test_contract
from ui.parts.menu import explain, strategy_menu
from ui.rules.drafts import describe

TEXTS = ["GOOD morning", "good morning", "YOU fool", "fool"]


@dataclass(frozen=True)
class Shouting(rules.TextRule):
    """Votes where there are so many capital letters."""

    letters: int

    kind: ClassVar[str] = "shouting"
    title: ClassVar[str] = "Shouting"

    @property
    def body(self):
        return {"label": self.label, "column": self.column, "letters": self.letters}

    @property
    def meaning(self):
        return f"has {self.letters} capital letters or more"

    def condition(self, text):
        return self.read(text).str.count_matches("[A-Z]") >= self.letters


def write_lines(path, batches, about):
    rows = pl.concat(batches)
    path.write_text("".join(f"{label or '?'}\n" for label in rows["label"]), encoding="utf-8")
    return rows.height


LINES = ExportFormat("lines", "Labels alone, one a line", "text/plain", ".lines", write_lines, chosen_by=(".lines",))


@dataclass(frozen=True, kw_only=True)
class Credulous(PatternModel):
    """Takes the first vote that there is."""

    title: ClassVar[str] = "Credulous"
    summary: ClassVar[str] = "Believes whoever speaks first."

    def _learn(self, patterns):
        return Fit(patterns.values.shape[1], patterns.k, np.full(patterns.k, 1 / patterns.k))

    def _pattern_posterior(self, patterns):
        first = np.argmax(patterns.values >= 0, axis=1)
        return np.eye(patterns.k)[patterns.values[np.arange(len(first)), first]]


@dataclass(frozen=True)
class Eldest(strategies.Strategy):
    """Ask in the order of the keys.

    Whatever the model says.
    """

    def score(self, pool, rng=None):
        return 1 - pool.rank / max(len(pool), 1)


@dataclass(frozen=True)
class Bedtime(StopRule):
    """Stop at an hour."""

    hour: int

    offer = "Stop at bedtime"
    settings = (Setting("hour", "Hour", 22, 18, 24),)

    @property
    def meaning(self):
        return f"at {self.hour} o'clock"

    def reason(self, answered, history):
        return None


def offer(patch, package, cls):
    """Make a class public in a package, as one that is written in it is."""
    patch.setattr(cls, "__module__", f"{package.__name__}.toys")
    patch.setattr(package, cls.__name__, cls, raising=False)
    patch.setattr(package, "__all__", [*package.__all__, cls.__name__])


@pytest.fixture(autouse=True)
def kinds(monkeypatch):
    monkeypatch.setitem(rules.KINDS, Shouting.kind, Shouting)
    monkeypatch.setattr(export_formats, "EXPORT_FORMATS", (*export_formats.EXPORT_FORMATS, LINES))
    monkeypatch.setitem(LABEL_MODELS, "Credulous", Credulous)
    monkeypatch.setattr(stopping, "STOP_RULES", (*stopping.STOP_RULES, Bedtime))
    for package, cls in ((labeling, Credulous), (labeling, Bedtime), (strategies, Eldest)):
        offer(monkeypatch, package, cls)


@pytest.fixture
def shell(tmp_path, sqlite_url, monkeypatch):
    shell = Shell(tmp_path)
    shell.storage = sqlite_url
    monkeypatch.setenv("LABELING_STORAGE", sqlite_url)
    project = Project.create("forum", ["ok", "bad"], storage=sqlite_url)
    project.add_items(pl.DataFrame({"id": list("abcd"), "text": TEXTS}), id="id", progress=False)
    project.add_functions([Shouting("loud", "ann", "bad", None, 3), keyword("greets", ["morning"], "ok")])
    return shell


def drawn(page, **arguments):
    app = AppTest.from_function(page, kwargs=arguments, default_timeout=300).run()
    assert not app.exception
    return app


def html(app):
    return " ".join(element.proto.body for element in app.get("html"))


def test_a_rule_is_stored_and_votes_where_another_process_opens_the_project(shell):
    matrix = shell.project().label_matrix(progress=False)
    votes = dict(zip((source.name for source in matrix.sources), matrix.values.T.tolist(), strict=True))
    assert votes["loud"] == [1, -1, 1, -1]
    assert all(info.loaded for info in shell.project().functions())


def one_rule(storage):
    from labeling import Project
    from ui.rules import page

    project = Project.open("forum", storage=storage)
    page._one(project, next(info for info in project.functions() if info.name == "loud"))


def test_the_page_says_what_a_rule_means_and_offers_no_form_that_is_not_there(shell):
    loud, greets = sorted(shell.project().functions(), key=lambda info: info.name != "loud")
    assert describe(loud) == "has 3 capital letters or more"
    assert describe(greets) == "matches morning (whole words)"
    app = drawn(one_rule, storage=shell.storage)
    assert "has 3 capital letters or more" in html(app)
    assert [button.label for button in app.button] == ["Remove it"]


def test_a_rule_picks_rows_as_a_filter_and_its_votes_leave_with_an_export(shell):
    shell.project().save_filter("shouts", Shouting("shouts", None, "any", None, 1))
    done = shell("export - --format jsonl --project forum --filter shouts")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("loud") == done.stdout.count("\n") == 2


def test_messages_name_the_kind_of_a_rule(shell):
    with pytest.raises(ValueError, match=r"kept as data: .*shouting"):
        rules.from_spec({"kind": "python", "name": "code"})
    with pytest.raises(TypeError, match=r"Kinds that can be kept are: .*shouting"):
        shell.project().save_filter("none", "loud")


def test_a_format_is_written_by_its_suffix_and_by_its_name(shell):
    assert shell.project().export(shell.folder / "here.lines", progress=False).rows == 4
    assert len((shell.folder / "here.lines").read_text(encoding="utf-8").splitlines()) == 4
    assert shell("export there.lines --project forum").returncode == 0
    assert (shell.folder / "there.lines").read_bytes() == (shell.folder / "here.lines").read_bytes()
    assert shell("export - --format lines --project forum").stdout.count("\n") == 4
    assert set(shell.project().exports()["format"]) == {"lines"}


def test_messages_and_help_name_the_format(shell):
    assert "or .lines" in shell("export labels.xlsx --project forum").stderr
    assert "doccano, lines." in shell("export labels --format no --project forum").stderr
    assert "doccano, lines" in shell("export - --project forum").stderr
    said = " ".join(shell("export --help").stdout.split())
    assert "File (.csv, .jsonl, .parquet, .lines)" in said
    assert "doccano, lines." in said


def export_page():
    import streamlit as st

    from ui.export import render
    from ui.session import PROJECT

    st.session_state[PROJECT] = "forum"
    render()


def test_the_export_page_offers_the_format_and_no_choice_that_it_has_not(shell):
    app = drawn(export_page)
    formats = app.radio(key="export_format")
    assert formats.options[-1] == "Labels alone, one a line"
    assert [box.label for box in app.checkbox] == ["Make formulas harmless"]
    formats.set_value("lines")
    assert not app.run().exception
    assert not app.checkbox


def test_a_label_model_labels_and_is_rebuilt_where_another_process_opens_the_run(shell):
    run = shell.project().weak_label(Credulous(otherwise="ok"))
    again = shell.project().weak_run()
    assert again.model == run.model == "Credulous(otherwise='ok')"
    assert again.label_model() == Credulous(otherwise="ok")
    assert again.frame()["label"].to_list() == ["bad", "ok", "bad", "ok"]


def test_the_command_line_takes_the_label_model_and_names_it(shell):
    done = shell("weak-label --project forum --model Credulous")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Run 1: Credulous" in done.stdout
    assert shell("weak-label --project forum --model Wise").returncode == 2
    assert "SnorkelLabelModel, Credulous." in shell("weak-label --project forum --model Wise").stderr
    assert "SnorkelLabelModel, Credulous." in " ".join(shell("weak-label --help").stdout.split())


def choice_of_model(storage):
    from labeling import Project
    from ui.weak_labels import model_form

    model_form.draw(Project.open("forum", storage=storage))


def test_the_page_offers_the_label_model_in_its_own_words(shell):
    app = drawn(choice_of_model, storage=shell.storage)
    box = app.selectbox(key="weak_model")
    assert (box.value, box.options[-1]) == ("Robust", "Credulous")
    box.set_value("Credulous")
    assert not app.run().exception
    assert "Believes whoever speaks first." in html(app)


def test_a_strategy_and_a_stop_rule_are_stored_and_ask_where_another_process_opens_the_loop(shell):
    shell.project().pool_loop("first", strategy=Eldest(), stop=[Bedtime(22)], batch_size=2)
    loop = shell.project().pool_loop("first")
    assert [rule.meaning for rule in loop.stop] == ["at 22 o'clock"]
    assert "Eldest" in shell.project().loops()[0].strategy
    loop.refit()
    assert [query.strategy for query in loop.ask("ann")] == ["Eldest", "Eldest"]


def choice_of_stop_rules():
    import streamlit as st

    from ui.loop import stop_rules

    st.session_state["chosen"] = stop_rules.form(0)


def test_the_page_offers_the_stop_rule_with_its_settings(shell):
    app = drawn(choice_of_stop_rules)
    next(toggle for toggle in app.toggle if toggle.label == "Stop at bedtime").set_value(True)
    app.run()
    app.number_input(key="new_loop_bedtime_hour").set_value(23)
    assert not app.run().exception
    assert app.session_state["chosen"] == [labeling.LabelBudget(500), Bedtime(23)]


def choice_of_strategy(storage):
    from labeling import Project
    from ui.loop import strategy_form

    strategy_form.draw(Project.open("forum", storage=storage))


def test_the_page_offers_the_strategy_with_the_first_line_of_its_docstring(shell):
    assert strategy_menu()["Eldest"] is Eldest
    assert explain("Eldest") == "Ask in the order of the keys."
    app = drawn(choice_of_strategy, storage=shell.storage)
    box = app.selectbox(key="new_loop_strategy")
    assert "Eldest" in box.options
    box.set_value("Eldest")
    assert not app.run().exception
    assert "Ask in the order of the keys." in html(app)


def test_the_command_line_takes_the_strategy_and_names_it(shell):
    rows = pl.DataFrame(
        {"text": [f"{word} {i}" for i in range(30) for word in ("tea", "ale")], "label": ["a", "b"] * 30}
    )
    rows.write_parquet(shell.folder / "drinks.parquet")
    sizes = "--start 4 --batch-size 4 --rounds 1 --seeds 1"
    done = shell(f"simulate drinks.parquet --gold label --text text --strategies eldest {sizes}")
    assert done.returncode == 0, done.stderr
    assert "eldest" in done.stdout
    assert "eldest" in shell("simulate drinks.parquet --gold label --strategies lucky").stderr


def test_the_contract_of_strategies_runs_over_it():
    assert test_contract.listed()["Eldest"] is Eldest
    assert Eldest.examples() == (Eldest(),)
