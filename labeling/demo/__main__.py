"""``python -m labeling.demo`` makes the demo projects in the default storage if there is no project yet."""

from __future__ import annotations

import time

from labeling import Project, default_storage
from labeling.demo import digits as digits_demo
from labeling.demo.forum import NAME, create_demo


def main() -> None:
    """Make the demo projects if the default storage holds no other, and say what was done."""
    storage = default_storage()
    others = [info.name for info in Project.list(storage) if info.name not in (NAME, digits_demo.NAME)]
    if others:
        print(f"No demo is made: there are projects in it already ({', '.join(others[:3])}).")  # noqa: T201
        return
    start = time.perf_counter()
    project = create_demo(storage)
    status = project.status()
    print(  # noqa: T201
        f"Project {NAME!r} in {project.storage}: {status.items:,} posts, {status.functions} rules "
        f"({time.perf_counter() - start:.1f} s)."
    )
    start = time.perf_counter()
    digits = digits_demo.create_digits(storage)
    pictures = digits.status().items
    print(f"Project {digits.name!r}: {pictures:,} pictures ({time.perf_counter() - start:.1f} s).")  # noqa: T201


if __name__ == "__main__":
    main()
