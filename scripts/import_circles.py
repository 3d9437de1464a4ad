"""Walk every import of the packages, those inside functions and under TYPE_CHECKING too, and name the circles.

``python scripts/import_circles.py`` ends with 1 where files, or folders, import each other in circles; ``--floors``
prints how deep each package is.
"""

from __future__ import annotations

import argparse
import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("labeling", "strategies", "storage", "ui")

MEANT = {("labeling.serialization.names", "labeling"), ("labeling.serialization.names", "strategies")}
"""Looks upwards that are meant: a class is found by its public name."""

Graph = Mapping[str, frozenset[str]]
"""Which modules each module imports."""


def modules(root: Path, packages: Iterable[str]) -> dict[str, Path]:
    """The modules of some packages by their dotted names; a package is named by its folder."""
    found = {}
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, name: str, known: Iterable[str]) -> Iterator[str]:
    """The modules that a file imports, wherever in it; a name of a package counts as the package itself."""
    known = set(known)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    stub = path.with_suffix(".pyi")
    texts = [file.read_text(encoding="utf-8") for file in (path, stub) if file.exists()]
    for node in (node for text in texts for node in ast.walk(ast.parse(text))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in known:
                    yield inner
                elif base in known:
                    yield base


def graph(root: Path = ROOT, packages: Iterable[str] = PACKAGES) -> Graph:
    """Which modules each module of some packages imports, itself left out."""
    found = modules(root, packages)
    return {
        name: frozenset(other for other in imported(path, name, found) if other != name and (name, other) not in MEANT)
        for name, path in found.items()
    }


def circles(imports: Graph) -> list[list[str]]:
    """Groups of modules that reach each other by imports (strongly connected components of two or more), sorted."""
    order: list[str] = []
    seen: set[str] = set()
    for start in imports:
        _visit(start, imports, seen, order)
    backwards = defaultdict(set)
    for name, targets in imports.items():
        for target in targets:
            backwards[target].add(name)
    seen, found = set(), []
    for start in reversed(order):
        group: list[str] = []
        _visit(start, backwards, seen, group)
        if len(group) > 1:
            found.append(sorted(group))
    return sorted(found)


def _visit(start: str, imports: Mapping[str, Iterable[str]], seen: set[str], order: list[str]) -> None:
    """Append what can be reached from a module and was not seen, each after what it reaches."""
    if start in seen:
        return
    seen.add(start)
    stack = [(start, iter(sorted(imports.get(start, ()))))]
    while stack:
        name, targets = stack[-1]
        target = next((each for each in targets if each not in seen), None)
        if target is None:
            order.append(name)
            stack.pop()
        else:
            seen.add(target)
            stack.append((target, iter(sorted(imports.get(target, ())))))


def between_folders(imports: Graph, depth: int) -> Graph:
    """Imports between folders at a depth: 1 are packages, 2 the folders and files in them, and so on."""
    folded: dict[str, set[str]] = defaultdict(set)
    for name, targets in imports.items():
        own = ".".join(name.split(".")[:depth])
        folded[own] |= {".".join(target.split(".")[:depth]) for target in targets} - {own}
    return {name: frozenset(targets) for name, targets in folded.items()}


def floors(imports: Graph) -> dict[str, int]:
    """How many floors lie below each module: 0 imports nothing of ours; modules of a circle share a floor."""
    group = {name: name for name in imports}
    for circle in circles(imports):
        group.update(dict.fromkeys(circle, circle[0]))
    height: dict[str, int] = {}
    order: list[str] = []
    merged: dict[str, set[str]] = defaultdict(set)
    for name, targets in imports.items():
        merged[group[name]] |= {group[target] for target in targets} - {group[name]}
    seen: set[str] = set()
    for name in merged:
        _visit(name, merged, seen, order)
    for name in order:
        height[name] = 1 + max((height[target] for target in merged[name]), default=-1)
    return {name: height[group[name]] for name in imports}


def main() -> int:
    """Print what circles there are; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--floors", action="store_true", help="print how many modules and floors each package has")
    options = parser.parse_args()
    imports = graph()
    if options.floors:
        heights = floors(imports)
        for package in PACKAGES:
            own = [name for name in imports if name.split(".")[0] == package]
            print(f"{package}: {len(own)} modules on {max(heights[name] for name in own) + 1} floors")
    found = circles(imports)
    depths = range(1, 1 + max(name.count(".") + 1 for name in imports))
    folders = [
        (depth, circle)
        for depth in depths
        for circle in circles(between_folders(imports, depth))
        if circle not in found
    ]
    for circle in found:
        print(f"These {len(circle)} modules import each other in a circle:", *circle, sep="\n    ")
        inside = set(circle)
        for name in circle:
            print(f"        {name} -> {', '.join(sorted(imports[name] & inside))}")
    for depth, circle in folders:
        print(f"These {len(circle)} at depth {depth} import each other in a circle: {', '.join(circle)}")
    if found or folders:
        return 1
    print(f"{len(imports)} modules, no circle, types and imports inside functions counted.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
