"""What is this machine alone: addresses to listen on, names and peers to answer."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str | None) -> bool:
    """Tell whether a name or an address means this machine, and nothing that others reach.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "::ffff:127.0.0.1")]
    [True, True, True, True]
    >>> [is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.2", "localhost.example.org", "", None)]
    [False, False, False, False, False, False]
    """
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def check_address(address: str | None, where: str) -> None:
    """Raise for an address to listen on from which others reach the app, as it has no sign-in.

    Parameters
    ----------
    address
        None: all of them.
    where
        Where it was set, for the message.

    Raises
    ------
    ValueError
        Somebody else could reach it.

    Examples
    --------
    >>> check_address("::1", "--address")
    """
    if not is_loopback(address):
        said = (
            f"The address {address[:80]!r} (set by {where})" if address else "Without an address (none is set) the app"
        )
        raise ValueError(
            f"{said} can be reached from other machines, and there is no sign-in: whoever reaches the app could read "
            "and change every project. Use 127.0.0.1; from elsewhere, come through an SSH tunnel."
        )
