"""Who is answered: this machine alone while there is no sign-in, whatever a request says of itself."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config

from labeling.commands.parts.loopback import check_address, is_loopback

_HOST = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9.-]+))(?::[0-9]{1,5})?")
_PROXIED = ("forwarded", "via", "x-real-ip")

SECURITY_HEADERS = {
    # Pictures in what people wrote are asked of nobody else: neither is anything else that a page shows.
    # Streamlit writes styles into its page, and its charts compile their expressions.
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' data: blob:; "
        "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self' blob: data:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    # Addresses of pages hold names of projects and of people.
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


def check_server_address() -> None:
    """Raise ValueError where Streamlit was told, in whatever way, to listen beyond this machine's loopback."""
    check_address(config.get_option("server.address"), config.get_where_defined("server.address"))


class LoopbackOnly:
    """The middleware of the app: refuses what does not come from this machine itself, and adds security headers.

    The Host says nothing of where a request comes from, so the peer is looked at too; and a peer on this machine that
    passes on what others ask (a proxy, a tunnel) mostly says so in a header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request or a handshake, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        why = refusal(scope)
        if why:
            await _refuse(scope, send_with_headers, why)
        else:
            await self.app(scope, receive, send_with_headers)


def refusal(scope: Scope) -> str:
    """Why a request is not answered; empty where it is."""
    headers = Headers(scope=scope)
    # First, as the server takes the peer from these headers where a proxy on this machine sends them.
    if any(name in _PROXIED or name.startswith("x-forwarded") for name in headers):
        return "a proxy passed it on"
    client = scope.get("client")
    if client is None or not is_loopback(client[0]):
        return "it came from another machine"
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(_host(hosts[0])):
        return "its Host is not a name of this machine"
    if any(urlsplit(origin).netloc != hosts[0] for origin in headers.getlist("origin")):
        return "a page of another place sent it"
    return ""


def _host(value: str) -> str | None:
    match = _HOST.fullmatch(value)
    return match and (match["six"] or match["name"])


async def _refuse(scope: Scope, send: Send, why: str) -> None:
    body = f"Refused: {why}, and this app has no sign-in. It answers the machine it runs on alone.\n".encode()
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    if scope["type"] == "websocket" and kind not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    head = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": f"{kind}.start", "status": 403, "headers": head})
    await send({"type": f"{kind}.body", "body": body})
