"""What options of the command line may be."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import typer
from typer.core import TyperCommand


class By(StrEnum):
    """Who has a vote."""

    function = "function"
    expert = "expert"


class Of(StrEnum):
    """What a share is a share of."""

    all = "all"
    voting = "voting"


class Ties(StrEnum):
    """What becomes of a tie."""

    abstain = "abstain"
    prior = "prior"
    random = "random"


def _formats() -> list[str]:
    from labeling.formats.writing.export_formats import EXPORT_FORMATS

    return [each.name for each in EXPORT_FORMATS]


def _suffixes() -> list[str]:
    from labeling.formats.writing.export_formats import EXPORT_FORMATS

    return [each.chosen_by[0] for each in EXPORT_FORMATS if each.chosen_by]


def _models() -> list[str]:
    from labeling.votes.label_models import LABEL_MODELS

    return list(LABEL_MODELS)


FORMATS, SUFFIXES, MODELS = "{formats}", "{suffixes}", "{models}"
"""What stands in the help of an option for the names that there are."""
_LISTS: dict[str, Callable[[], list[str]]] = {FORMATS: _formats, SUFFIXES: _suffixes, MODELS: _models}


class ListingCommand(TyperCommand):
    """A command whose help lists what the engine has when it is read: other commands need not load it."""

    def get_help(self, ctx: Any) -> str:
        """Return the help, names filled in."""
        for option in self.params:
            for place, names in _LISTS.items():
                if place in (getattr(option, "help", None) or ""):
                    option.help = option.help.replace(place, ", ".join(names()))  # type: ignore[attr-defined]
        return super().get_help(ctx)


def known_model(name: str) -> str:
    """Return the name of a label model; raise where there is none of it."""
    if name not in _models():
        raise typer.BadParameter(f"There is no label model {name!r}. Label models are: {', '.join(_models())}.")
    return name


def known_format(name: str) -> str:
    """Return the name of a format of exports; raise where there is none of it."""
    from labeling.formats.writing.export_formats import export_format

    try:
        return export_format("", name).name
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
