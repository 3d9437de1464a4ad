"""Write requirements.txt and requirements-dev.txt: every package that is needed, as it is installed here.

What is needed stands in ``pyproject.toml`` (dependencies, extras, the ``dev`` group). Install the versions that are
wanted into an environment, run the tests there, and run this script with that environment's Python::

    .venv/bin/python scripts/pins.py
"""

from __future__ import annotations

import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
# What `make run` installs. The rest of the extras is for tests, or brought by whoever wants it.
EXTRAS = ("torch", "snorkel", "postgres", "datasets", "processes", "river")
DEV_EXTRAS = ("dask", "notebook", "embeddings")


def closure(roots: list[str]) -> dict[str, str]:
    """Versions of the roots and of all that they need, by canonical name."""
    pending = [Requirement(root) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    versions: dict[str, str] = {}
    while pending:
        requirement = pending.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        package = distribution(requirement.name)
        # A local version ("+cpu") names one build: the bare one lets pip take the build that suits the machine.
        versions[key[0]] = package.version.partition("+")[0]
        for text in package.requires or []:
            needed = Requirement(text)
            extras = ["", *requirement.extras]
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                pending.append(needed)
    return versions


def write(path: Path, header: list[str], versions: dict[str, str]) -> None:
    """Write one pin a line, sorted."""
    lines = header + [f"{name}=={version}" for name, version in sorted(versions.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(versions)} packages")


def main() -> None:
    """Write both files from what is installed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = settings["project"]["optional-dependencies"]
    roots = settings["project"]["dependencies"] + [name for extra in EXTRAS for name in extras[extra]]
    dev_roots = settings["dependency-groups"]["dev"] + [name for extra in DEV_EXTRAS for name in extras[extra]]
    runtime = closure(roots)
    dev = {name: version for name, version in closure(dev_roots).items() if name not in runtime}
    made = "# Made by scripts/pins.py from pyproject.toml: every package needed, at the version tested."
    write(ROOT / "requirements.txt", [made], runtime)
    write(ROOT / "requirements-dev.txt", [made, "-r requirements.txt"], dev)


if __name__ == "__main__":
    main()
