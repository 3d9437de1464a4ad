"""What people decide on the pages is in the database afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import Project, keyword
from strategies import Entropy

pytestmark = pytest.mark.browser


def test_a_label_is_renamed_and_gets_a_key(desk: Callable[[], Any], project: Project) -> None:
    person = desk()
    page = person.page
    person.go("", project.name, "ann")
    edit = page.get_by_role("button", name="Edit", exact=True)
    expect(edit).to_have_count(2)
    edit.last.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("rude")
    dialog.get_by_role("textbox", name="Key").fill("x")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Label “rude” is saved.")).to_be_visible()
    renamed = Project.open(project.name, storage=person.app.storage).classes
    assert [(label.name, label.key) for label in renamed] == [("ok", None), ("rude", "x")]


def test_a_label_is_split_and_merged_with_what_it_touches_said_before(
    desk: Callable[[], Any], project: Project
) -> None:
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive")])
    given = pl.DataFrame({"item_id": [1, 2], "annotator": ["ann", "ann"], "label": ["offensive", "ok"]})
    project.add_annotations(given)
    person = desk()
    page = person.page
    person.go("", project.name, "ann")
    change = page.get_by_role("button", name="Change", exact=True)
    expect(change).to_have_count(2)
    change.last.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 answer by ann on 1 item count for the other label")).to_be_visible()
    dialog.get_by_text("Split it into new ones").click()
    expect(dialog.get_by_text("The rule insult pauses.")).to_be_visible()
    dialog.get_by_role("textbox", name="New labels, one a line").fill("insult\nthreat")
    dialog.get_by_role("button", name="Split", exact=True).click()
    expect(page.get_by_text("“offensive” is split. 1 item will be asked again.")).to_be_visible()
    names = Project.open(project.name, storage=person.app.storage).label_names
    assert names == ("ok", "insult", "threat")
    # The list of labels is drawn after what was done is said: until then its last one is another label.
    expect(change).to_have_count(3)
    change.last.click()
    expect(dialog.get_by_text("What becomes of “threat”?")).to_be_visible()
    dialog.get_by_role("combobox", name="Into").click()
    page.get_by_role("option", name="insult", exact=True).click()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("“threat” is “insult” from now on.")).to_be_visible()
    person.go("rules", project.name, "ann")
    expect(page.get_by_text("insult: paused, since the label was split or retired")).to_be_visible()
    assert Project.open(project.name, storage=person.app.storage).label_names == ("ok", "insult")


def test_people_are_merged_and_get_work_that_whoever_labels_sees(desk: Callable[[], Any], project: Project) -> None:
    loop = project.pool_loop("first", strategy=Entropy(), batch_size=10, seed=3)
    for who in ("ann", "Ann"):
        loop.tell(loop.ask(who, 1)[0], "ok")
    hostile = "<img src=http://leak.example/p.png onerror=alert(1)> ![p](http://leak.example/q.png)"
    project.assign(hostile, loop="first", by=hostile)
    person = desk()
    page, dialog = person.page, person.page.get_by_role("dialog")
    person.go("", project.name, "lea")
    person.open_tab("People")
    expect(page.get_by_role("cell", name=hostile, exact=True)).to_be_visible()
    page.get_by_role("button", name="Merge two people").click()
    person.choose("Who", "ann")
    person.choose("Counts as", "Ann")
    expect(dialog.get_by_text("ann as Ann: 1 answer here")).to_be_visible()
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("“ann” counts as “Ann” from now on.")).to_be_visible()
    expect(page.get_by_role("cell", name="Ann also ann", exact=True)).to_be_visible()
    page.get_by_role("button", name="Assign work").click()
    person.choose("Who", "Ann")
    dialog.get_by_role("spinbutton", name="How many answers").fill("3")
    dialog.get_by_role("button", name="Assign", exact=True).click()
    expect(page.get_by_text("“Ann” works on first: 0 of 3.")).to_be_visible()
    assert project.people().select("name", "answers", "assignments").row(0) == ("Ann", 2, ["first"])
    person.go("annotate", project.name, "ann")
    expect(page.get_by_text("0 of 3 of your assignment")).to_be_visible()
    person.press("1")
    expect(page.get_by_text("1 of 3 of your assignment")).to_be_visible()
    assert person.dialogs == []
    assert person.hosts == {person.app.url.removeprefix("http://")}


def test_a_share_of_the_votes_is_kept_as_a_run(desk: Callable[[], Any], project: Project) -> None:
    project.add_functions([keyword("insult", ["idiot", "idiots"], "offensive", expert="ann")])
    person = desk()
    person.go("weak-labels", project.name, "ann")
    person.choose("How votes become labels", "Majority vote")
    expect(person.page.get_by_text("A label needs at least")).to_be_visible()
    # Nobody chose what silence means: no label.
    expect(person.page.get_by_role("combobox", name="Otherwise")).to_have_value("no label")
    person.choose("Otherwise", "ok")
    person.page.get_by_role("button", name="label 80 items that no rule speaks about as “ok”").click()
    expect(person.page.get_by_text("Run 1 is kept.")).to_be_visible()
    run = Project.open(project.name, storage=person.app.storage).weak_run()
    texts = project.items(["text"]).join(run.frame(), on="item_id")
    rude = pl.col("text").str.contains("idiot")
    assert texts.select((rude == (pl.col("label") == "offensive")).all()).item()


def test_a_loop_with_a_target_needs_a_hold_out_first(desk: Callable[[], Any], app: Any, posts: pl.DataFrame) -> None:
    labeled = posts.with_columns(
        gold=pl.when(pl.col("text").str.contains("idiot")).then(pl.lit("offensive")).otherwise(pl.lit("ok"))
    )
    project = Project.create("held out", ["ok", "offensive"], storage=app.storage)
    project.add_items(labeled, text="text", gold="gold", progress=False)
    person = desk()
    page = person.page
    person.go("loop", project.name, "ann")
    expect(page.get_by_text("A target needs a hold-out")).to_be_visible()
    page.get_by_role("link", name="Data").click()
    person.open_tab("Hold-out")
    page.get_by_role("button", name="Keep aside").click()
    expect(page.get_by_text("36 items are kept aside.")).to_be_visible()
    page.get_by_role("link", name="Loop").click()
    person.switch("Stop early at a target score")
    expect(page.get_by_text("Target", exact=True)).to_be_visible()
    page.get_by_role("button", name="Start the loop").click()
    expect(page.get_by_text("Loop “first” is ready.")).to_be_visible()
    (info,) = project.loops()
    assert (info.name, info.budget, project.status().holdout) == ("first", 500, 36)
