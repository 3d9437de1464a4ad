"""The app as a process of its own, and what the commands say where it cannot be one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from labeling.commands import serve
from labeling.commands.parts import server

ROOT = Path(__file__).resolve().parents[3]


def test_a_port_is_free_until_somebody_listens_on_it() -> None:
    port = server.free_port()
    assert server.is_free(port)
    with socket.socket() as listener:
        listener.bind((server.HOST, port))
        listener.listen()
        assert not server.is_free(port)


def test_without_a_screen_no_browser_takes_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr(serve.webbrowser, "get", lambda: object())
    assert not serve._has_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert serve._has_browser()


def test_an_interrupt_ends_it_without_a_word(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "labeling", "serve", "--port", str(server.free_port())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LABELING_STORAGE": f"sqlite:///{tmp_path / 'work.db'}"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, start_new_session=True, **pipes) as process:
        assert any("Ctrl-C ends it" in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGINT)
        assert (process.communicate(timeout=60)[0], process.returncode) == ("", 0)


def test_an_interrupt_in_the_moment_it_says_so_ends_it_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(text: str) -> None:
        assert "Ctrl-C ends it" in text
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(serve.typer, "echo", interrupted)
    monkeypatch.setattr(serve, "serving", lambda *_: nullcontext())
    serve.serve_app(server.free_port(), storage=f"sqlite:///{tmp_path / 'work.db'}")


def test_an_app_that_ends_before_it_answers_is_said_with_its_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = tmp_path / "serve.py"
    entry.write_text("raise SystemExit(3)")
    monkeypatch.setattr(server, "ENTRY", entry)
    with (
        pytest.raises(RuntimeError, match="The app ended with code 3 before it answered"),
        server.serving("sqlite:///x.db", server.free_port(), output=subprocess.DEVNULL),
    ):
        pass


def test_without_the_pages_the_message_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(server, "ENTRY", tmp_path / "gone.py")
    with (
        pytest.raises(FileNotFoundError, match=r"The pages are not installed: there is no .*gone\.py"),
        server.serving("sqlite:///x.db", server.free_port()),
    ):
        pass
