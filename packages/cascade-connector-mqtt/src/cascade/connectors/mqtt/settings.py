"""Where the broker is and how to speak with it: from a URL, from keywords, or both."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, unquote, urlsplit
from uuid import uuid4

from cascade.interfaces.errors import near_name
from cascade.interfaces.topics import validate_topic

__all__ = ["PASSWORD_VARIABLE", "MqttSettings", "read_settings"]

PASSWORD_VARIABLE = "CASCADE_MQTT_PASSWORD"  # noqa: S105 - the name of a variable, not a password
"""The environment variable that holds the password, where nothing else says it."""

Protocol = Literal["5", "3.1.1"]
Payloads = Literal["json", "bytes"]

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FOUR_BYTES = 0xFFFF_FFFF  # MQTT 5.0 §3.1.2.11.2: a session that never expires
_TWO_BYTES = 0xFFFF


@dataclass(frozen=True, kw_only=True)
class MqttSettings:
    """How to reach a broker. Each field is a keyword of `MqttConnector`, and a word of its URL."""

    host: str = "localhost"
    """Name or address of the broker."""

    port: int = 0
    """Its port; 0 is 8883 with TLS and 1883 without."""

    tls: bool = False
    """Whether to speak TLS; ``mqtts://`` says so too."""

    ca_file: str | None = None
    """PEM file of who may vouch for the broker; the system's authorities where left out."""

    cert_file: str | None = None
    """PEM file of the client's own certificate."""

    key_file: str | None = None
    """PEM file of its key, where that is not in ``cert_file``."""

    check_hostname: bool = True
    """Whether the broker's certificate must be for ``host``. Turn it off on test machines only."""

    username: str | None = None
    """User name."""

    password: str | None = field(default=None, repr=False)
    """Password of that user; else the contents of ``password_file``, else ``CASCADE_MQTT_PASSWORD``."""

    password_file: str | None = None
    """A file that holds the password; a newline at its end does not count."""

    protocol: Protocol = "5"
    """Version of MQTT."""

    client_id: str = ""
    """Name of this client at the broker, of one client at a time; made up where left out."""

    session_expiry: int = 0
    """Seconds that the broker keeps subscriptions and messages of QoS 1 and 2 while this client is
    away; 0 keeps nothing, 4,294,967,295 keeps them for ever. MQTT 3.1.1 knows only never and ever."""

    clean_start: bool = True
    """Whether to begin anew at the first connect; False takes a session up again."""

    keep_alive: int = 30
    """Seconds after which a silent connection is tried with a ping, and after as many more given up."""

    status: bool | None = None
    """Whether ``cascade/status/<client_id>`` says "online" and "offline", retained, the latter by
    the broker itself if this client dies. By default only for a client that was given a name."""

    payloads: Payloads = "json"
    """``json``, or ``bytes`` to pass bytes through as they are."""

    max_payload: int = 1_048_576
    """Bytes of the largest payload, in both directions."""

    subscribe_qos: int = 1
    """The highest quality of service that messages arrive with; they arrive with that of their
    publisher where it is lower."""

    connect_timeout: float = 30.0
    """Seconds that `connect` tries to reach the broker."""

    offline_timeout: float = 30.0
    """Seconds that publish and subscribe wait for a lost connection to come back; 0 raises at once."""

    retry_delay: float = 0.2
    """Seconds until the second attempt to connect; each further one takes up to twice as long."""

    max_retry_delay: float = 30.0
    """Seconds between two attempts at most."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense, and fill in what was left out."""
        _check_ranges(self)
        self._set("port", self.port or _PORTS["mqtts" if self.tls else "mqtt"])
        self._set("status", bool(self.client_id) if self.status is None else self.status)
        if not self.client_id:
            if not self.clean_start:
                raise ValueError("clean_start=False takes up a session by its name: give client_id")
            self._set("client_id", f"cascade-{uuid4().hex}")
        if self.status:
            validate_topic(self.status_topic)
        if self.password is None:
            self._set("password", _find_password(self))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # the way a frozen dataclass completes itself

    @property
    def address(self) -> str:
        """Host and port, as messages show them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def status_topic(self) -> str:
        """Where this client says whether it is there."""
        return f"cascade/status/{self.client_id}"


def _find_password(settings: MqttSettings) -> str | None:
    if settings.username is None:
        return None
    if settings.password_file is not None:
        return Path(settings.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    return os.environ.get(PASSWORD_VARIABLE)


def _check_ranges(settings: MqttSettings) -> None:
    limits: dict[str, tuple[float, float]] = {
        "port": (0, _TWO_BYTES),
        "session_expiry": (0, _FOUR_BYTES),
        "keep_alive": (1, _TWO_BYTES),
        "max_payload": (1, 268_435_455),  # MQTT 5.0 §1.5.5: the largest packet
        "subscribe_qos": (0, 2),
        "connect_timeout": (0, float("inf")),
        "offline_timeout": (0, float("inf")),
        "retry_delay": (0.001, 3600),
        "max_retry_delay": (0.001, 3600),
    }
    for name, (low, high) in limits.items():
        value = getattr(settings, name)
        if not low <= value <= high:
            raise ValueError(f"{name} is between {low:g} and {high:g}, not {value!r}")
    for name, choices in {"protocol": get_args(Protocol), "payloads": get_args(Payloads)}.items():
        if getattr(settings, name) not in choices:
            raise ValueError(
                f"{name} is one of {', '.join(choices)}, not {getattr(settings, name)!r}"
            )
    if not settings.host:
        raise ValueError("host is the name or address of the broker, and may not be empty")
    if settings.key_file and not settings.cert_file:
        raise ValueError("key_file belongs to a certificate: give cert_file too")
    if settings.password is not None and settings.username is None:
        raise ValueError("a password belongs to a user: give username too")


def read_settings(url: str | None, options: Mapping[str, Any]) -> MqttSettings:
    """Return the settings that a URL and keywords say together; a keyword outweighs the URL.

    Args:
        url: ``mqtt://user:password@host:port/?client_id=…``, or ``mqtts://`` for TLS.
        options: fields of `MqttSettings` by name.

    Raises:
        ValueError: the URL cannot be read, or a value makes no sense.
        TypeError: a name is none of those of `MqttSettings`.
    """
    known = {each.name for each in fields(MqttSettings)}
    given = {**({} if url is None else _read_url(url)), **options}
    for name in given:
        if name not in known:
            raise TypeError(f"MqttConnector knows no {name!r}.{near_name(name, known)}")
    return MqttSettings(**given)


def _read_url(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        # Without its text: it may hold a password.
        raise ValueError("the URL of a broker begins with mqtt:// or mqtts://, for TLS")
    if parts.path.strip("/") or parts.fragment:
        raise ValueError("the URL of a broker has no path: say options as ?name=value&…")
    found: dict[str, Any] = {"tls": parts.scheme == "mqtts"}
    if parts.hostname:
        found["host"] = parts.hostname
    try:
        if parts.port is not None:
            found["port"] = parts.port
    except ValueError:
        # Its own words would show what stands there, and that may be a part of a password.
        raise ValueError(
            "the port in the URL of a broker is no number; write '/', '@' and the like in a "
            "password as %2F, %40, …"
        ) from None
    if parts.username:
        found["username"] = unquote(parts.username)
    if parts.password is not None:
        found["password"] = unquote(parts.password)
    readers = {
        each.name: _READERS[str(each.type).split(" | ", 1)[0]] for each in fields(MqttSettings)
    }
    for name, text in parse_qsl(parts.query, keep_blank_values=True):
        try:
            found[name] = readers.get(name, str)(text)
        except ValueError:
            raise ValueError(f"{name} in the URL of a broker cannot be read: {text!r}") from None
    return found


def _read_bool(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": _read_bool,
    "Protocol": str,
    "Payloads": str,
}
