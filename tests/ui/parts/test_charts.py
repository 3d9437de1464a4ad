"""What charts are told to draw, run by Streamlit's own test runner."""

from __future__ import annotations

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def loop_page() -> None:
    import polars as pl

    from ui.parts import loop_charts

    first = pl.DataFrame({"labels": [0], "score": [0.5], "low": [0.4], "high": [0.6]})
    loop_charts.scores(first)
    loop_charts.measures(first, {"score": "Score"})


def rules_page() -> None:
    import polars as pl

    from ui.rules import analysis_charts

    names = ["insult", "numbers", "links"]
    shares = {name: [0.5] * 3 for name in ("accuracy", "low", "high", "estimated")}
    frame = pl.DataFrame({"function": names, "label": ["ok"] * 3, "votes": [9] * 3, "judged": [9] * 3, **shares})
    analysis_charts.worth(frame, ["ok"])


def drawn(page: Any) -> list[dict[str, Any]]:
    app = AppTest.from_function(page, default_timeout=300).run()
    assert not app.exception
    return [json.loads(chart.proto.spec) for chart in app.get("vega_lite_chart")]


def test_answers_are_whole_numbers_even_where_there_is_one_round() -> None:
    scores, measures = drawn(loop_page)
    line, _ = scores["layer"][1]["layer"]
    assert line["encoding"]["x"]["axis"]["format"] == ",d"
    assert measures["layer"][0]["encoding"]["x"]["axis"]["format"] == ",d"


def test_each_rule_has_a_row_of_its_own_whatever_the_axis_takes() -> None:
    (chart,) = drawn(rules_page)
    assert chart["height"] == {"step": 21}
