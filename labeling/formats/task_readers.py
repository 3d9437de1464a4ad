"""The other labeling tools whose files are read as tasks, each known by its tasks or named by ``format=``."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from labeling.formats.doccano import DoccanoReader
from labeling.formats.exchange import PLAIN, ToolReader
from labeling.formats.label_studio import LabelStudioReader
from labeling.formats.prodigy import ProdigyReader

TOOLS: tuple[type[ToolReader], ...] = (LabelStudioReader, ProdigyReader, DoccanoReader)

_LOOKED_AT = 100


def tool_of(
    file: str, records: Iterator[tuple[int, Any]], named: str | None
) -> tuple[ToolReader | None, Iterator[tuple[int, Any]]]:
    """Return the reader of the tool that a file is of, None where it is plain, and all of its records.

    Raises
    ------
    ValueError
        There is no tool of that name.
    """
    first = list(itertools.islice(records, _LOOKED_AT))
    every = itertools.chain(first, records)
    if named is not None:
        names = [tool.name for tool in TOOLS]
        if named not in (*names, PLAIN):
            raise ValueError(
                f"There is no format {named!r} to read. Formats of tools are: {', '.join(names)}; or {PLAIN}."
            )
        return next((tool(file) for tool in TOOLS if tool.name == named), None), every
    tasks = [record for _, record in first if isinstance(record, dict)]
    return next((tool(file) for tool in TOOLS if tasks and tool.knows(tasks)), None), every
