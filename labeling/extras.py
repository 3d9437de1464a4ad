"""Packages that are installed by choice: imported where they are used, named with what installs them."""

from __future__ import annotations

import importlib
from typing import Any

_EXTRAS = {
    "cloudpickle": "processes",
    "datasets": "datasets",
    "distributed": "dask",
    "loky": "processes",
    "river": "river",
    "sentence_transformers": "embeddings",
    "snorkel": "snorkel",
    "torch": "torch",
}


def extra(module: str, user: str) -> Any:
    """Return a module of an optional package.

    Parameters
    ----------
    module
        Its name, as "river.drift".
    user
        What needs it, for the message.

    Raises
    ------
    ModuleNotFoundError
        The package is not installed; the message names the command that does it.

    Examples
    --------
    >>> extra("json", "This").dumps([1])
    '[1]'
    """
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        wanted = f"'tally-labeling[{_EXTRAS[package]}]'" if package in _EXTRAS else package
        raise ModuleNotFoundError(f"{user} needs {package}: pip install {wanted}", name=error.name) from error
