"""Memory of the server: what a large page or export needed goes back to the machine when it is done."""

from __future__ import annotations

import ctypes
import sys
from functools import cache

LARGE_BYTES = 1 << 20
_M_MMAP_THRESHOLD = -3


@cache
def give_back_large_blocks() -> bool:
    """Let every block of a megabyte and more be mapped on its own; return whether the C library can.

    That of GNU raises its limit to up to 32 MB as blocks are freed; arrays over a million items stay below it, and
    what is freed between them stays with the process. No limit that is set here is raised.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
