"""``python -m labeling simulate``: compare strategies on a file whose labels are known."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from labeling.commands.parts.project_option import given_source
from labeling.commands.parts.terminal import shown, table, warn
from labeling.formats.sources.readable import FILE_HELP

if TYPE_CHECKING:
    from labeling.loops.simulation.curves import Curves
    from strategies import Strategy


class Metric(StrEnum):
    """What the curves show."""

    accuracy = "accuracy"
    f1_macro = "f1_macro"


def simulate_file(
    file: Annotated[str, typer.Argument(help=f"{FILE_HELP} With known labels.")],
    strategies: Annotated[
        str, typer.Option(metavar="NAMES", help="Strategies, split by commas; random is always among them.")
    ] = "auto,margin",
    gold: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the known labels.", show_default="by its name")
    ] = None,
    text: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of the text.", show_default="by its name")
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="Labels drawn at random before the first question.")] = 25,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions a round.")] = 25,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds.")] = 20,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each strategy.")] = 3,
    holdout: Annotated[float, typer.Option(help="Share of the items that scores the models.")] = 0.3,
    metric: Annotated[Metric, typer.Option(help="What to compare.")] = Metric.accuracy,
    target: Annotated[
        float | None, typer.Option(help="Score that labels are counted for.", show_default="random's last")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="PATH", help="Write every run to this Parquet file.")] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Show a bar.", show_default="in a terminal")
    ] = None,
) -> None:
    """Compare strategies on known labels.

    Prints the area under each learning curve, what it ends with, and how many labels it needs.
    """
    from labeling.formats.mapping import guess_mapping
    from labeling.formats.reading.tables import read_source
    from labeling.loops.simulation.simulate import simulate

    content, called = given_source(file)
    frame = read_source(content, name=called).frame
    column = gold or guess_mapping(frame).gold
    if column is None:
        raise ValueError(f"Which column holds the labels? Name it with --gold: {', '.join(frame.columns)}.")
    chosen = named_strategies(strategies)
    curves = simulate(
        frame,
        gold=column,
        text=text,
        strategies=chosen,
        start=start,
        batch_size=batch_size,
        rounds=rounds,
        seeds=range(seeds),
        holdout=holdout,
        progress=shown(progress),
    )
    _print(curves, metric.value, target)
    if out is not None:
        curves.frame().write_parquet(out)
        warn(f"{curves.frame().height:,} rows in {out}")


def named_strategies(names: str) -> dict[str, Strategy]:
    """Return strategies with their usual settings by their names in lower case, random last.

    Examples
    --------
    >>> named_strategies("entropy, k-center")
    {'entropy': Entropy(), 'k-center': KCenter(), 'random': Random()}
    """
    import strategies as known

    found: dict[str, type[Strategy]] = {}
    for name in known.__all__:
        value = getattr(known, name)
        if isinstance(value, type) and issubclass(value, known.Strategy) and value is not known.Strategy:
            found[name.lower()] = value
    chosen: dict[str, Strategy] = {}
    for name in [part.strip() for part in names.split(",") if part.strip()]:
        cls = found.get(name.lower().replace("-", "").replace("_", ""))
        if cls is not None and _plain(cls):
            chosen[name] = cls()
        else:
            usable = ", ".join(sorted(key for key, value in found.items() if _plain(value)))
            raise ValueError(f"There is no strategy {name!r} without settings. There are: {usable}.")
    if not any(isinstance(strategy, known.Random) for strategy in chosen.values()):
        chosen["random"] = known.Random()
    return chosen


def _plain(cls: type[Strategy]) -> bool:
    try:
        return "mask" not in cls().reads()
    except TypeError:
        return False


def _print(curves: Curves, metric: str, target: float | None) -> None:
    summary = curves.summary(metric, target=target)
    aim = summary["target"][0]
    most = int(curves.frame()["labels"].to_numpy().max())
    header = ("strategy", "area", "95 %", f"at {most}", f"labels to {aim:.3f}", "s a round")
    rows = []
    for row in summary.iter_rows(named=True):
        low, high, labels = row["area_low"], row["area_high"], row["labels_to_reach"]
        rows.append(
            (
                row["strategy"],
                f"{row['area']:.3f}",
                "" if low is None else f"{low:.3f} to {high:.3f}",
                f"{row['final']:.3f}",
                "never" if labels is None else f"{labels:,.0f}",
                f"{row['seconds']:.2f}",
            )
        )
    table(header, rows)
