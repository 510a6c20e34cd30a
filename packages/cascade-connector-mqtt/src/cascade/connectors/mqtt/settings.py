"""Where the broker is and how to speak with it: from a URL, from keywords, or both."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args
from uuid import uuid4

from cascade.connectors.mqtt.url import read_url
from cascade.connectors.mqtt.will import Will
from cascade.interfaces.errors import near_name
from cascade.interfaces.topics import validate_topic

__all__ = ["PASSWORD_VARIABLE", "MqttSettings", "read_settings", "with_will"]

PASSWORD_VARIABLE = "CASCADE_MQTT_PASSWORD"  # noqa: S105 - the name of a variable, not a password
"""The environment variable that holds the password, where nothing else says it."""

Protocol = Literal["5", "3.1.1"]
Payloads = Literal["json", "bytes"]
Transport = Literal["tcp", "websockets", "unix"]

_PORTS = {
    ("tcp", False): 1883,
    ("tcp", True): 8883,
    ("websockets", False): 80,
    ("websockets", True): 443,
    ("unix", False): 1883,
}
_HOST = re.compile(
    r"(?P<name>[\w.-]+)(?::(?P<port>\d+))?"
    r"|\[(?P<v6>[0-9A-Fa-f:.%\w]+)\](?::(?P<v6_port>\d+))?"
    r"|(?P<bare>[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.%\w]*)"
)
_CHOICES = {
    "protocol": get_args(Protocol),
    "payloads": get_args(Payloads),
    "transport": get_args(Transport),
}
_FOUR_BYTES = 0xFFFF_FFFF  # MQTT 5.0 §3.1.2.11.2: a session that never expires
_TWO_BYTES = 0xFFFF


@dataclass(frozen=True, kw_only=True)
class MqttSettings:
    """How to reach a broker. Each field is a keyword of `MqttConnector`, and a word of its URL.

    Examples:
        >>> from cascade.connectors.mqtt import MqttConnector
        >>> MqttConnector("mqtts://broker.example:8884", client_id="lamp").connected
        False
    """

    host: str = "localhost"
    """Name or address of the broker; several with commas between, each with a port of its own if it
    likes, are tried in turn."""

    port: int = 0
    """Its port; 0 is 8883 with TLS and 1883 without, and over WebSockets 443 and 80."""

    transport: Transport = "tcp"
    """What carries the packets; ``ws://``, ``wss://`` and ``mqtt+unix://`` say so too."""

    path: str = "/mqtt"
    """Where the WebSocket is, or the socket file."""

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

    will: Will | None = None
    """What the broker publishes if this client dies, in the place of its ``status``."""

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
        self._set("port", self.port or _PORTS[self.transport, self.tls])
        by_default = bool(self.client_id) and self.will is None
        self._set("status", by_default if self.status is None else self.status)
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
    def addresses(self) -> list[tuple[str, int]]:
        """Hosts and ports, in the order in which they are tried."""
        found = []
        for each in self.host.split(","):
            match = _HOST.fullmatch(each.strip())
            assert match is not None  # noqa: S101 - checked when the settings were made
            host = match["name"] or match["bare"] or match["v6"]
            found.append((host, int(match["port"] or match["v6_port"] or self.port)))
        return found

    @property
    def address(self) -> str:
        """Host and port, as messages show them."""
        if self.transport == "unix":
            return self.path
        shown = [(f"[{host}]" if ":" in host else host, port) for host, port in self.addresses]
        return ", ".join(f"{host}:{port}" for host, port in shown)

    @property
    def status_topic(self) -> str:
        """Where this client says whether it is there."""
        return f"cascade/status/{self.client_id}"


def _find_password(settings: MqttSettings) -> str | None:
    if settings.password_file is not None:
        return Path(settings.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    return None if settings.username is None else os.environ.get(PASSWORD_VARIABLE)


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
    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            raise ValueError(
                f"{name} is one of {', '.join(choices)}, not {getattr(settings, name)!r}"
            )
    if not all(_HOST.fullmatch(each.strip()) for each in settings.host.split(",")):
        raise ValueError(
            "host is the name or address of the broker, or several with commas between, without scheme "
            "and user; a whole URL is the first argument"
        )
    if settings.key_file and not settings.cert_file:
        raise ValueError("key_file belongs to a certificate: give cert_file too")
    if settings.password is not None and settings.username is None and settings.protocol != "5":
        raise ValueError("before MQTT 5 a password belongs to a user: give username too")
    if settings.will is not None and settings.status:
        raise ValueError("a client has one will: its status or one of its own, not both")
    if settings.transport == "unix" and settings.path == "/mqtt":
        raise ValueError("give the path of the broker's socket: mqtt+unix:///run/mosquitto.sock")


def read_settings(url: str | None, options: Mapping[str, Any]) -> MqttSettings:
    """Return the settings that a URL and keywords say together; a keyword outweighs the URL.

    Args:
        url: ``mqtt://user:password@host:port/?client_id=…``, or ``mqtts://`` for TLS, ``ws://`` and ``wss://``
            for WebSockets, ``mqtt+unix:///path`` for a socket of this machine.
        options: fields of `MqttSettings` by name.

    Raises:
        ValueError: the URL cannot be read, or a value makes no sense.
        TypeError: a name is none of those of `MqttSettings`.
    """
    kinds = {each.name: str(each.type).split(" | ", 1)[0] for each in fields(MqttSettings)}
    given = {**({} if url is None else read_url(url, kinds)), **options}
    for name in given:
        if name not in kinds:
            raise TypeError(f"MqttConnector knows no {name!r}.{near_name(name, set(kinds))}")
    return MqttSettings(**given)


def with_will(settings: MqttSettings, will: Will | None) -> MqttSettings:
    """Return settings with a will that was offered, where the client has none."""
    if will is None or settings.will is not None or settings.status:
        return settings
    return replace(settings, will=will)
