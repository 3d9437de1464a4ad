"""Trained models as bytes: arrays by name and nothing else, so that reading them runs no code."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def dump_arrays(named: Mapping[str, Array]) -> bytes:
    """Arrays of numbers as a compressed NPZ archive.

    Raises
    ------
    TypeError
        An array holds objects: such could only be pickled.
    """
    for name, array in named.items():
        if array.dtype.hasobject:
            raise TypeError(f"{name!r} holds Python objects ({array.dtype}); only arrays of numbers are stored.")
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **named)
    return content.getvalue()


def load_arrays(content: bytes) -> dict[str, Array]:
    """Read what `dump_arrays` wrote.

    Raises
    ------
    ValueError
        The bytes are no such archive, or hold pickled objects.

    Examples
    --------
    >>> load_arrays(dump_arrays({"bias": np.array([0.5, 1.0])}))["bias"]
    array([0.5, 1. ])
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"The {len(content):,} bytes are no stored model. Refit without them.") from error
