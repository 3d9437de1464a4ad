"""Text from outside is shown as text: it runs nothing and fetches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import expect

from labeling import LabelBudget, Project, keyword
from strategies import Entropy, FixedBudget, OutlierGuard

pytestmark = pytest.mark.browser

NASTY = [
    "<script>alert('script ran')</script> vote",
    "![leak](http://leak.example/a.png) vote",
    "<img src='http://leak.example/b.png' onerror=\"alert('image ran')\"> vote",
    "<svg onload=\"alert('svg ran')\"></svg> vote",
    "[click](javascript:alert('link ran')) vote",
    "<style>@import url('http://leak.example/c.css');</style> vote",
    '=HYPERLINK("http://leak.example") vote',
    ":material/home: $x^2$ :red[red] vote",
    "\"><iframe src='http://leak.example/d'></iframe> vote",
]
LABEL = "![l](http://leak.example/l.png) <b>bold</b>"


def test_hostile_text_runs_nothing_and_fetches_nothing(desk: Callable[[], Any], app: Any) -> None:
    name = "<img src=http://leak.example/p.png onerror=alert(1)>"
    project = Project.create(name, ["ok", LABEL], storage=app.storage)
    project.describe_label(LABEL, "![d](http://leak.example/d.png) <script>alert('definition ran')</script>")
    project.add_items(
        pl.DataFrame({"text": NASTY, "![c](http://leak.example/c.png)": NASTY}), text="text", progress=False
    )
    project.add_functions([keyword("<script>alert('rule ran')</script>", ["vote"], LABEL, expert="<b>eve</b>")])
    project.pool_loop("first", strategy=Entropy(), batch_size=3, seed=1, stop=[LabelBudget(9)])
    person = desk()
    for path in ("", "data", "rules", "weak-labels", "loop", "export"):
        person.go(path, name, "<script>alert('name ran')</script>")
        person.page.wait_for_timeout(600)
    person.go("annotate", name, "eve")
    shown = []
    for _ in range(3):
        shown.append(person.text())
        person.press("2")
    assert set(shown) <= set(NASTY)
    person.page.get_by_role("link", name="Rules").click()
    person.write("Any of these words", "vote")
    expect(person.page.locator("mark").first).to_be_visible()
    assert person.page.locator(".tally-text script, .tally-text img, .tally-text iframe").count() == 0
    assert person.dialogs == []
    assert person.hosts == {app.url.removeprefix("http://")}


def test_hostile_text_is_harmless_in_offers_groups_reasons_and_streams(desk: Callable[[], Any], app: Any) -> None:
    name = "<svg onload=alert(2)> ![p](http://leak.example/q.png)"
    rule = "<script>alert('region ran')</script>"
    voucher = NASTY[0] + " order your free holiday voucher today from our one and only shop near the old {}, friends"
    texts = [voucher.format(word) for word in ("harbour", "market", "school", "bridge", "museum")]
    texts += [f"{NASTY[n % len(NASTY)]} number {n} has {n * 7} words" for n in range(30)] + ["<>", "![]()"]
    project = Project.create(name, ["ok", LABEL], storage=app.storage)
    gold = [LABEL if n % 2 else "ok" for n in range(len(texts))]
    project.add_items(pl.DataFrame({"text": texts, "gold": gold}), text="text", gold="gold", progress=False)
    project.set_holdout(fraction=0.3, seed=1)
    project.add_functions([keyword(rule, ["vote"], LABEL, expert="eve")])
    strategy = OutlierGuard(Entropy(), share=0.0)
    loop = project.pool_loop("![x](http://leak.example/x.png)", strategy=strategy, batch_size=4, stop=[LabelBudget(40)])
    for query in loop.ask("zoe", 4):
        loop.tell(query, LABEL)
    loop.refit()
    stream = project.stream_loop("<b>live</b>", strategy=Entropy(), budget=FixedBudget(0.5), seed=1, text="text")
    stream.offer_many([{"text": text + " again"} for text in texts[5:20]])
    person = desk()
    page = person.page
    for chosen in ("<b>live</b>", loop.name):
        person.go("loop", name, "eve")
        person.choose("Loop", chosen)
        person.idle()
    for view in ("Held back", "New loop", "Compare strategies"):
        person.open_view(view)
        page.wait_for_timeout(400)
    person.go("annotate", name, "eve")
    for chosen in ("<b>live</b>", loop.name):
        person.choose("Loop", chosen)
        page.get_by_text("Why this one?").click()
        for _ in range(6):
            person.press("2")
    page.wait_for_timeout(400)
    assert page.locator(".tally-text script, .tally-text img, .tally-side script, .tally-side img").count() == 0
    assert page.get_by_test_id("stException").count() == 0
    assert person.dialogs == []
    assert person.hosts == {app.url.removeprefix("http://")}
