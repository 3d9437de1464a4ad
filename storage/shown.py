"""What may be said of a database and of its driver's errors: no password, and nothing of what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

_HARMLESS = frozenset(
    [
        "application_name",
        "cache",
        "channel_binding",
        "client_encoding",
        "connect_timeout",
        "dbname",
        "gssencmode",
        "host",
        "hostaddr",
        "immutable",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "mode",
        "port",
        "requiressl",
        "sslmode",
        "target_session_attrs",
        "tcp_user_timeout",
        "timeout",
        "uri",
        "user",
        "vfs",
    ]
)
"""Parameters of a URL that are shown; of any other nobody knows what it holds."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}")
_FILE_NAME = re.compile(r"[\w ./\\-]{0,80}")


class DriverError(Exception):
    """What a driver said, without the values it quoted."""


def shown(url: URL) -> str:
    """Return a URL as it may be shown: its place, with the password and all that may be one hidden.

    Examples
    --------
    >>> from sqlalchemy.engine import make_url
    >>> shown(make_url("postgresql://ann:secret@host/labels?sslmode=require&sslpassword=secret"))
    'postgresql://ann:***@host/labels?sslmode=require&sslpassword=***'
    """
    hidden = {name: "***" for name in url.query if name.lower() not in _HARMLESS}
    return url.update_query_dict(hidden).render_as_string().replace("%2A%2A%2A", "***")


def named(storage: object) -> str:
    """Return what may be said of something that is no URL: a password may stand anywhere in it.

    Examples
    --------
    >>> named("labeling.db"), named("postgresql://ann:secret@host:port/x"), named("host=x password=secret")
    ("'labeling.db'", "'postgresql://…'", 'A text of 22 characters')
    """
    if not isinstance(storage, str):
        return f"A value of type {type(storage).__name__}"
    scheme, separator, _ = storage.partition("://")
    if separator and _SCHEME.fullmatch(scheme):
        return f"'{scheme}://…'"
    return repr(storage) if _FILE_NAME.fullmatch(storage) else f"A text of {len(storage):,} characters"


def driver_words(error: BaseException | None, url: URL) -> str:
    """Return what a driver said, without secrets of the URL and without values of rows.

    PostgreSQL quotes those in the details of a message, and in the message itself where a value is what is wrong.
    """
    state = getattr(error, "sqlstate", None)
    if state and state.startswith("22"):
        words = f"{type(error).__name__} ({state})"
    elif state:
        words = str(getattr(error, "diag").message_primary or type(error).__name__)  # noqa: B009
    else:
        # SQLite quotes the text that it could not decode.
        words = str(error).partition(" with text ")[0]
    for secret in _secrets(url):
        words = words.replace(secret, "***")
    return words.strip()


def cleaned(error: DBAPIError, url: URL) -> DBAPIError:
    """Return an error of the same kind that says what may be said."""
    orig = DriverError(driver_words(error.orig, url))
    return type(error)(error.statement, None, orig, hide_parameters=True)


def _secrets(url: URL) -> Iterator[str]:
    if url.password:
        yield str(url.password)
    for name, value in url.query.items():
        if name.lower() not in _HARMLESS:
            yield from (each for each in ((value,) if isinstance(value, str) else value) if each)
