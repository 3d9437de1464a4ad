"""Who the app answers, asked of a real server over plain sockets."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import polars as pl
import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from labeling import Project
from labeling.commands.parts.server import HOST, _wait, free_port
from scripts.app_server import running_app
from strategies import Random
from ui.guard import SECURITY_HEADERS, refusal

ROOT = Path(__file__).resolve().parents[2]
HANDSHAKE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('guard') / 'labeling.db'}"


@pytest.fixture(scope="module")
def port(storage: str) -> Iterator[int]:
    port = free_port()
    with running_app(storage, port=port):
        yield port


def ask(
    port: int, *headers: str, path: str = "/_stcore/health", host: str = "", address: str = HOST
) -> tuple[int, str]:
    """Send a request as it is written; the status and all that was answered."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host or f'{HOST}:{port}'}", *headers, "", ""]
    with socket.create_connection((address, port), timeout=60) as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while b"\r\n\r\n" not in answer or (b" 403 " in answer and b"sign-in" not in answer):
            part = connection.recv(65_536)
            if not part:
                break
            answer += part
    text = answer.decode("utf-8", "replace")
    return int(text.split()[1]), text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:{port}", "[::1]:{port}", "LOCALHOST"])
def test_names_of_this_machine_are_answered(port: int, host: str) -> None:
    assert ask(port, host=host.format(port=port))[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/_stcore/health", "/_stcore/stream", "/_stcore/upload_file/a/b", "/media/x.png"]
)
@pytest.mark.parametrize(
    "headers",
    [
        ["X-Forwarded-For: 127.0.0.1"],
        ["X-Forwarded-Host: localhost"],
        ["X-Forwarded-Proto: https"],
        ["Forwarded: for=127.0.0.1"],
        ["Via: 1.1 here"],
        ["Origin: http://example.org"],
        ["Origin: null"],
        ["Host: example.org"],
    ],
    ids=lambda headers: headers[0],
)
def test_what_a_proxy_or_another_place_sends_is_refused(port: int, path: str, headers: list[str]) -> None:
    upgrade = HANDSHAKE if path.endswith("stream") else []
    status, answer = ask(port, *upgrade, *headers, path=path)
    # Two Hosts are no request at all to some servers.
    assert status == 403 or (status == 400 and headers == ["Host: example.org"])
    assert "example.org" not in answer
    if status == 403:
        assert "this app has no sign-in" in answer


@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1", "a@localhost"]
)
def test_a_host_that_is_not_this_machine_is_refused(port: int, host: str) -> None:
    for path, upgrade in (("/_stcore/health", []), ("/_stcore/stream", HANDSHAKE)):
        status, answer = ask(port, *upgrade, path=path, host=host)
        assert (status, "its Host is not a name of this machine" in answer) == (403, True)


def test_a_handshake_from_the_page_itself_is_accepted(port: int) -> None:
    assert ask(port, *HANDSHAKE, f"Origin: http://{HOST}:{port}", path="/_stcore/stream")[0] == 101


def connected(port: int, *session: str, **headers: str) -> ClientConnection:
    """Connect as the page does, in the session of that id where it is to be had."""
    origin = headers.pop("Origin", f"http://{HOST}:{port}")
    names = [Subprotocol(name) for name in ("streamlit", "none", *session)]
    address = f"ws://{HOST}:{port}/_stcore/stream"
    return connect(address, origin=Origin(origin), subprotocols=names, additional_headers=headers, max_size=None)


def visit(connection: ClientConnection, page: str, query: str) -> str:
    """Open a page by a link, wait until it is drawn, and return the id of the session."""
    asked, answer, session = BackMsg(), ForwardMsg(), ""
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    connection.send(asked.SerializeToString())
    while answer.WhichOneof("type") != "script_finished":
        answer.ParseFromString(connection.recv(timeout=60, decode=False))
        session = session or answer.new_session.initialize.session_id
        assert answer.WhichOneof("type") != "page_not_found"
    return session


def test_strangers_second_tabs_and_copied_links_change_nothing_that_somebody_said(storage: str, port: int) -> None:
    project = Project.create("p", ["ok", "offensive"], storage=storage)
    project.add_items(pl.DataFrame({"text": [f"post {number}" for number in range(12)]}))
    loop = project.pool_loop("l", strategy=Random(), batch_size=6, seed=1)
    asked = loop.ask("ann", 3)
    loop.tell(asked[0], "ok")
    said = project.annotations()
    for headers in ({"Origin": "http://example.org"}, {"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=127.0.0.1"}):
        with pytest.raises(InvalidStatus, match="403"):
            connected(port, **headers)
    with connected(port) as first:
        own = visit(first, "", "project=p")
        for page in ("data", "rules", "weak-labels", "loop", "annotate", "export"):
            with connected(port, str(uuid4())) as second:
                link = "project=p&loop=l&annotator=ann&label=ok&tell=ok&undo=1&discard=1&erase=1&archive=1"
                assert visit(second, page, link) not in ("", own)
        assert visit(first, "loop", "project=p") == own
    now = Project.open("p", storage=storage)
    assert now.annotations().equals(said)
    assert (now.remarks().height, now.items().height, now.archived) == (0, 12, False)
    assert now.pool_loop("l").holders().filter(pl.col("annotator") == "ann")["questions"].to_list() == [2]
    assert [query.id for query in now.pool_loop("l").ask("ann", 2)] == [query.id for query in asked[1:]]


@pytest.mark.parametrize("headers", [[], ["Via: 1.1 here"]], ids=["answered", "refused"])
def test_every_answer_has_the_security_headers(port: int, headers: list[str]) -> None:
    _, answer = ask(port, *headers, path="/")
    head = dict(line.split(": ", 1) for line in answer.split("\r\n\r\n")[0].split("\r\n")[1:])
    assert {name: head.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.parametrize(
    ("peer", "answered"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.7", False),
        ("::ffff:10.0.0.7", False),
        (None, False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_peer_that_is_not_this_machine_is_refused_whatever_its_host_says(
    kind: str, peer: str | None, answered: bool
) -> None:
    client = None if peer is None else (peer, 50_000)
    scope = {"type": kind, "client": client, "headers": [(b"host", b"localhost:8501")]}
    assert refusal(scope) == ("" if answered else "it came from another machine")


def test_a_connection_over_another_address_of_this_machine_is_refused(tmp_path: Path) -> None:
    addresses = [
        each.address for card in psutil.net_if_addrs().values() for each in card if each.family == socket.AF_INET
    ]
    port = free_port()
    # Whoever starts the app with a server of their own can open it to the world; the middleware does not believe it.
    command = [sys.executable, "-m", "uvicorn", "app:app", "--host=0.0.0.0", f"--port={port}", "--log-level=error"]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "FORWARDED_ALLOW_IPS": "*"}) as server:
        try:
            _wait(server, port, HOST)
            for address in addresses:
                for upgrade in ([], HANDSHAKE):
                    path = "/_stcore/stream" if upgrade else "/_stcore/health"
                    status, _ = ask(port, *upgrade, path=path, host="localhost", address=address)
                    assert status == (403 if not address.startswith("127.") else 101 if upgrade else 200)
        finally:
            server.kill()


def test_a_checkout_refuses_an_address_beyond_this_machine(tmp_path: Path) -> None:
    flag = run(tmp_path, "streamlit", "run", str(ROOT / "app.py"), "--server.address=0.0.0.0")
    variable = run(tmp_path, "streamlit", "run", str(ROOT / "app.py"), STREAMLIT_SERVER_ADDRESS="::")
    for address, done in (("0.0.0.0", flag), ("::", variable)):
        assert done.returncode == 1
        assert f"Error: The address '{address}' (set by command-line argument or environment" in done.stderr
        assert "there is no sign-in" in done.stderr


def test_a_checkout_answers_through_the_same_middleware(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), f"--server.port={port}"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            assert any("URL" in line for line in server.stdout), "it ended before it served"
            assert ask(port)[0] == 200
            assert ask(port, "Via: 1.1 here")[0] == 403
        finally:
            server.kill()


def test_the_command_refuses_an_address_however_it_is_set(tmp_path: Path) -> None:
    (tmp_path / "asks" / ".streamlit").mkdir(parents=True)
    file = tmp_path / "asks" / ".streamlit" / "config.toml"
    file.write_text("[server]\naddress = " + json.dumps("0.0.0.0"))
    serve = ("labeling", "serve", f"--port={free_port()}")
    for done, where in (
        (run(tmp_path, *serve, "--address=0.0.0.0"), "--address"),
        (
            run(tmp_path, *serve, STREAMLIT_SERVER_ADDRESS="0.0.0.0"),
            "the environment variable STREAMLIT_SERVER_ADDRESS",
        ),
        (run(tmp_path / "asks", *serve), str(file)),
    ):
        assert done.returncode == 1
        assert f"Error: The address '0.0.0.0' (set by {where}) can be reached from other machines" in done.stderr


def run(folder: Path, module: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
