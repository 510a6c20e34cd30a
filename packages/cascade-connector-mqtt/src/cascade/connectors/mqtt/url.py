"""The URL of a broker: scheme, user, host and options. No error here shows what may be part of a password."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

__all__ = ["read_url"]

_SCHEMES: dict[str, dict[str, Any]] = {
    "mqtt": {"tls": False},
    "mqtts": {"tls": True},
    "ws": {"tls": False, "transport": "websockets"},
    "wss": {"tls": True, "transport": "websockets"},
    "mqtt+unix": {"tls": False, "transport": "unix"},
}


def read_url(url: str, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return what a URL says, by the names of options.

    Args:
        url: ``scheme://user:password@host:port/?name=value&…``.
        kinds: the options that there are, and the names of their types.

    Raises:
        ValueError: it cannot be read.
    """
    parts = _split(url)
    found = {**_SCHEMES[parts.scheme], **_read_path(parts), **_read_host(parts)}
    if parts.username:
        found["username"] = unquote(parts.username)
    if parts.password is not None:
        found["password"] = unquote(parts.password)
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        try:
            found[name] = _READERS.get(kinds.get(name, "str"), str)(text)
        except ValueError:
            raise ValueError(f"{name} in the URL of a broker cannot be read: {text!r}") from None
    return found


def _split(url: str) -> SplitResult:
    """Separate the parts of a URL.

    What is written as it is and should not be ends a user name or password too early, and its rest
    would be taken for a host, a path or an option.
    """
    try:
        parts = urlsplit(url)
    except ValueError:  # its words show the URL
        parts = SplitResult("mqtt", "", "", "", "@")
    if parts.scheme not in _SCHEMES:
        schemes = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise ValueError(f"the URL of a broker begins with one of {schemes}")
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        raise ValueError(
            "the URL of a broker cannot be read: write '/', '?', '#', '@' and the like in a user name, "
            "password or option as %2F, %3F, %23, %40, …"
        )
    return parts


def _read_path(parts: SplitResult) -> dict[str, Any]:
    path = unquote(parts.path)
    if parts.scheme == "mqtt+unix":
        return {"path": path}
    if path.strip("/"):
        if not parts.scheme.startswith("ws"):
            raise ValueError("the URL of a broker has no path: say options as ?name=value&…")
        return {"path": path}
    return {}


def _read_host(parts: SplitResult) -> dict[str, Any]:
    hosts = parts.netloc.rpartition("@")[2]
    if "," in hosts:
        return {"host": hosts}
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        # Its own words would show what stands there, and that may be a part of a password.
        raise ValueError(
            "the port in the URL of a broker is no number; write '/', '@' and the like in a "
            "password as %2F, %40, …"
        ) from None
    return {**({"host": host} if host else {}), **({} if port is None else {"port": port})}


def _read_bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "bool": _read_bool}
