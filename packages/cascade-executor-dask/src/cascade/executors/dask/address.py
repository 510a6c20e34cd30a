"""Where the scheduler of a cluster is: a URL, a cluster or a client of Dask, or an address of Dask's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from distributed import Client
from distributed.security import Security

__all__ = ["Address", "address_of", "read_url"]

_PORT = 8786  # what `dask scheduler` listens on
_TLS = {
    "ca": "tls_ca_file",
    "cert": "tls_client_cert",
    "key": "tls_client_key",
}
"""Options of a URL that name files, and what Dask calls them."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a scheduler, as Dask writes it, and how to be known there."""

    text: str
    security: Security | None = None


def address_of(cluster: Any, security: Security | None = None) -> Address:
    """Return where the scheduler is.

    Raises:
        TypeError: it is neither an address, nor a cluster or client that has one.
    """
    if isinstance(cluster, str):
        return Address(cluster, security)
    if isinstance(cluster, Client):
        at = None if cluster.scheduler is None else cluster.scheduler.address
        if at is None:
            raise TypeError("the client has no scheduler: it has been closed")
        return Address(at, security or cluster.security)
    address = getattr(cluster, "scheduler_address", None)
    if not isinstance(address, str):
        raise TypeError(
            f"DaskExecutor takes the address of a scheduler, a cluster or a client of Dask, not {cluster!r}"
        )
    return Address(address, security or getattr(cluster, "security", None))


def read_url(url: str) -> tuple[Address, dict[str, str]]:
    """Return what a URL says: the scheduler, and what else it says, by name.

    Raises:
        ValueError: it cannot be read.
    """
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.fragment or "@" in parts.netloc:
        raise ValueError(
            "the URL of a Dask scheduler has neither user nor path: dask://host:8786?name=value&…"
        )
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    files = {_TLS[name]: options.pop(name) for name in list(options) if name in _TLS}
    is_secure = parts.scheme.endswith("+tls")
    if files and not is_secure:
        raise ValueError(f"certificates need dask+tls://, and this URL is {parts.scheme}://")
    security = Security(require_encryption=True, **files) if is_secure else None
    return Address(f"{'tls' if is_secure else 'tcp'}://{_host(parts)}", security), options


def _host(parts: SplitResult) -> str:
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the port in the URL of a Dask scheduler is no number") from None
    if not host:
        raise ValueError("the URL of a Dask scheduler names its host: dask://host:8786")
    return f"[{host}]:{port or _PORT}" if ":" in host else f"{host}:{port or _PORT}"
