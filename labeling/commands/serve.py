"""``tally serve`` and ``tally demo``: the app in the browser."""

from __future__ import annotations

import os
import sys
import webbrowser
from contextlib import suppress
from typing import Annotated
from urllib.parse import quote

import typer

from labeling.commands.parts.loopback import check_address
from labeling.commands.parts.project_option import Storage
from labeling.commands.parts.server import HOST, is_free, serving

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port of this machine to serve on.")]
Address = Annotated[
    str,
    typer.Option(help="Address of this machine to serve on; without sign-in, only one that no other machine reaches."),
]


def serve_app(port: Port = 8501, address: Address = "", storage: Storage = None) -> None:
    """Serve the app in the browser.

    It listens on this machine alone, over the database given, until Ctrl-C.
    """
    _serve(storage, port, address)


def serve_demo(
    posts: Annotated[int, typer.Option(min=1, help="How many posts to make.")] = 3000,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it when it is made.")] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
    port: Port = 8501,
    storage: Storage = None,
) -> None:
    """Make the demo project, and show it in the browser.

    Generated posts and the rules of 20 experts; nothing is downloaded. One that is there already is shown as it is.
    """
    from labeling.demo import create_demo

    if serve:
        _check(port)
    project = create_demo(storage, posts=posts)
    status = project.status()
    typer.echo(
        f"Project {project.name!r}: {status.items:,} items, {status.functions} rules, {status.weak:,} weak labels"
    )
    if serve:
        _serve(storage, port, page=f"annotate?project={quote(project.name)}", browser=browser)


def _check(port: int, address: str = "") -> None:
    if address:
        check_address(address, "--address")
    if not is_free(port, address or HOST):
        raise OSError(f"Port {port} of this machine is in use. Give another one with --port.")


def _serve(storage: str | None, port: int, address: str = "", *, page: str = "", browser: bool = False) -> None:
    from labeling.project.project import default_storage
    from storage import shown_url

    url = storage or default_storage()
    _check(port, address)
    host = f"[{address}]" if ":" in address else address or HOST
    place = f"http://{host}:{port}/{page}"
    code = 0
    # Ctrl-C is how it ends, from the first moment on; it goes to both processes.
    with suppress(KeyboardInterrupt), serving(url, port, address) as server:
        typer.echo(f"Tally works on {shown_url(url)} at {place}\nCtrl-C ends it.")
        sys.stdout.flush()
        if browser and _has_browser():
            webbrowser.open(place)
        code = server.wait()
    if code:
        raise RuntimeError(f"The app ended with code {code}.")


def _has_browser() -> bool:
    """Tell whether there is a screen to open a browser on; without one, a browser in the terminal would take it."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
