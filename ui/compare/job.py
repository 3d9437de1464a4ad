"""A comparison of strategies in a process of its own: read what to compare, run it, say how far it is.

Started by `ui.compare.simulations` as ``python -m ui.compare.job``. The first line of standard input is the plan as
JSON; when standard input closes, the process ends. On standard output stands one JSON object a line:
``{"done", "total"}`` after each run, at last ``{"runs"}``: the rows of `Curves.frame`.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

import polars as pl

from labeling import Project, simulate
from labeling.loops.simulation.curves import Curves
from strategies import Strategy
from ui.parts.menu import strategy_menu

MOST_ITEMS = 20_000
"""Of more known items as many are drawn, by seed."""

HOLDOUT = 0.3
"""Share of the known items that scores the models."""

_SEED = 0


def known_items(project: Project) -> tuple[pl.DataFrame, str]:
    """The items whose answer is known with what may be learned from, and the name of the column of the answers.

    Ids and groups are left out: nothing should be learned from them.
    """
    mapping = project.last_mapping()
    unlearned = {mapping.id, mapping.group, *mapping.private} if mapping else set()
    frame = project.items()
    gold = "answer"
    while gold in frame.columns:
        gold += "_"
    known = project.labels(source="gold").select("item_id", pl.col("label").alias(gold))
    frame = frame.join(known, on="item_id", how="inner").sort("item_id")
    if frame.height > MOST_ITEMS:
        frame = frame.sample(MOST_ITEMS, seed=_SEED, shuffle=True)
    if project.text_column is None and project.image_column is not None:
        pictures = project.item_store.images()
        column = [pictures.get(item) for item in frame["item_id"].to_list()]
        frame = frame.with_columns(pl.Series(project.image_column, column, dtype=pl.Binary))
    return frame.drop([name for name in frame.columns if name == "item_id" or name in unlearned]), gold


def run(plan: dict[str, Any], tell: Any) -> Curves:
    """Do what a plan says; see `ui.compare.simulations.Plan`."""
    project = Project.open(plan["project"])
    menu = strategy_menu()
    chosen: dict[str, Strategy] = {name: menu[name]() for name in plan["strategies"]}
    frame, gold = known_items(project)
    return simulate(
        frame,
        gold=gold,
        text=project.text_column,
        strategies=chosen,
        start=plan["start"],
        batch_size=plan["batch_size"],
        rounds=plan["rounds"],
        seeds=range(plan["seeds"]),
        holdout=HOLDOUT,
        labels=project.label_names,
        progress=tell,
    )


def main() -> None:
    """Read the plan, run it, write progress and result."""
    plan = json.loads(sys.stdin.readline())
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
    _say({"done": 0, "total": plan["seeds"] * len(plan["strategies"])})
    curves = run(plan, lambda done, total: _say({"done": done, "total": total}))
    _say({"runs": curves.frame().rows()})
    sys.stdout.flush()
    # The thread that reads standard input would be waited for.
    os._exit(0)


def _say(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
