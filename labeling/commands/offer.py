"""``python -m labeling offer``: offer the records of a file to a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from labeling.commands.parts.project_option import ProjectName, ShowProgress, Storage, given_source, known_storage
from labeling.commands.parts.terminal import shown, warn
from labeling.formats.sources.readable import FILE_HELP

if TYPE_CHECKING:
    from labeling.loops.stream.loop import StreamLoop
    from labeling.project.project import Project


def offer_file(
    file: Annotated[str, typer.Argument(help=f"{FILE_HELP} Records in the order they came.")],
    project: ProjectName,
    stream: Annotated[str, typer.Option(help="Name of the stream.")],
    share: Annotated[
        float | None,
        typer.Option(help="Share of the records to ask about: makes the stream if there is none of that name."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column of your own ids: what was offered before is not offered again."),
    ] = None,
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Column that is not offered; may be repeated.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Records that are decided about at once.")] = 5000,
    storage: Storage = None,
    progress: ShowProgress = None,
) -> None:
    """Offer the records of a file to a stream.

    Prints how many were taken in and how many are asked about. With --key, the same call after a kill goes on where it
    was.
    """
    from tqdm.auto import tqdm

    from labeling.formats.mapping import guess_mapping
    from labeling.formats.reading.tables import read_source
    from labeling.project.project import Project

    loop = _stream(Project.open(project, known_storage(storage)), stream, share)
    content, called = given_source(file)
    table = read_source(content, name=called)
    for rejected in table.rejected[:10]:
        warn(f"{file}, {rejected}")
    frame = table.frame
    known = guess_mapping(frame).gold
    if known is not None and known not in (leave_out or ()):
        warn(f"column {known!r} holds known labels, by its name: it is not offered")
    without = {*(leave_out or ()), *(() if known is None else (known,))}
    if unknown := [
        name for name in (*(leave_out or ()), *(() if key is None else (key,))) if name not in frame.columns
    ]:
        raise ValueError(f"There is no column {unknown[0]!r} in {file}: {', '.join(map(repr, frame.columns))}.")
    keys = None if key is None else table.keys_of(key).to_list()
    records = frame.drop(without)
    start, asked, new = loop.offered, 0, 0
    with tqdm(total=frame.height, unit=" records", desc="offer", disable=not shown(progress), leave=False) as bar:
        for first in range(0, frame.height, batch_size):
            part = slice(first, first + batch_size)
            made = loop.offer_many(records[part], None if keys is None else keys[part])
            fresh = {decision.position: decision.asked for decision in made if decision.position >= start}
            asked, new = asked + sum(fresh.values()), new + len(fresh)
            bar.update(len(made))
    share_asked = f", {asked / new:.1%}" if new else ""
    typer.echo(f"{new:,} records taken in, {frame.height - new:,} known; {asked:,} asked about{share_asked}")
    warning = loop.warning()
    if warning is not None:
        warn(warning)


def _stream(project: Project, name: str, share: float | None) -> StreamLoop:
    """Return the stream of a name, made with a share where it is new."""
    from strategies import LeastConfidence, VariableUncertainty

    if any(info.name == name for info in project.loops()):
        return project.stream_loop(name)
    if share is None:
        raise LookupError(f"There is no stream {name!r} in {project.name!r}. Give --share, such as 0.1, to make it.")
    return project.stream_loop(name, strategy=LeastConfidence(), budget=VariableUncertainty(share))
