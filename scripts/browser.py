"""Find the Chromium that drives the browser tests, or install one; print its path.

Looked for in this order: the environment variable ``CHROMIUM``, an installed Chromium or Chrome, the one that
Playwright downloaded before. With ``--install``, where there is none: Debian's package (as root), then Playwright's
own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
ADVICE = (
    "No Chromium was found and none could be installed. Install one and try again:\n"
    "  Debian, Ubuntu:  sudo apt-get install chromium\n"
    "  elsewhere:       .venv/bin/python -m playwright install chromium\n"
    "or name one that is there already:  CHROMIUM=/path/to/chromium make test"
)


def find() -> str | None:
    """Path of a Chromium on this machine, None if there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).is_file():
            raise SystemExit(f"CHROMIUM={named}: no such file. Point it at a Chromium or Chrome, or unset it.")
        return named
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    if MAC.is_file():
        return str(MAC)
    return _playwrights_own()


def install() -> str | None:
    """Install a Chromium and return its path, None if that did not work."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run(["apt-get", "update", "-q"], environment)
        _run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"], environment)
        path = find()
        if path:
            return path
    _run([sys.executable, "-m", "playwright", "install", "chromium"], dict(os.environ))
    return find()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def _run(command: list[str], environment: dict[str, str]) -> None:
    print("+", " ".join(command), file=sys.stderr)
    subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False)


def main() -> None:
    """Print the path, or stop with what to do."""
    path = find()
    if path is None and "--install" in sys.argv[1:]:
        path = install()
    if path is None:
        raise SystemExit(ADVICE)
    print(path)


if __name__ == "__main__":
    main()
