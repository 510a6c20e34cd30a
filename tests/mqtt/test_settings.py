"""Where the broker is and how to speak with it: URL, keywords, and the password's hiding places."""

import re
from dataclasses import fields

import pytest

from cascade.connectors.mqtt import MqttConnector, MqttSettings, Will
from cascade.connectors.mqtt.settings import PASSWORD_VARIABLE, read_settings
from repository.distributions import ROOT
from rows import each_row


def read(url=None, **options):
    return read_settings(url, options)


def test_a_url_says_it_all():
    found = read(
        "mqtts://lamp:p%40ss@broker.example:9999/?client_id=lamp-1&session_expiry=60"
        "&clean_start=false&keep_alive=5&protocol=5&payloads=bytes&offline_timeout=1.5"
    )
    assert (found.host, found.port, found.tls) == ("broker.example", 9999, True)
    assert (found.username, found.password) == ("lamp", "p@ss")
    assert (found.client_id, found.session_expiry, found.clean_start) == ("lamp-1", 60, False)
    assert (found.keep_alive, found.payloads, found.offline_timeout) == (5, "bytes", 1.5)


@each_row(
    ("url", "port"), [("mqtt://h", 1883), ("mqtts://h", 8883), ("mqtt://h:1", 1), (None, 1883)]
)
def test_the_port_is_the_usual_one(url, port):
    assert read(url).port == port


def test_keywords_outweigh_the_url():
    found = read("mqtt://one:1000/?keep_alive=5", host="other", keep_alive=7)
    assert (found.host, found.port, found.keep_alive) == ("other", 1000, 7)


def test_an_address_of_ipv6_stands_in_brackets():
    assert read("mqtt://[::1]:1883").address == "[::1]:1883"


def test_a_client_without_a_name_gets_one_of_its_own_and_says_no_status():
    one, other = read(), read()
    assert one.client_id != other.client_id
    assert not one.status
    assert read(client_id="lamp").status
    assert read(client_id="lamp").status_topic == "cascade/status/lamp"
    assert not read(client_id="lamp", status=False).status


# --- the password ---------------------------------------------------------------------------------


def test_the_password_comes_from_argument_file_or_environment(monkeypatch, tmp_path):
    file = tmp_path / "secret"
    file.write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert read(username="u").password == "from the environment"
    assert read(username="u", password_file=str(file)).password == "from a file"
    assert read(username="u", password_file=str(file), password="said").password == "said"
    assert read().password is None  # nobody to be, nothing to prove


def test_the_password_is_never_shown():
    url = "mqtt://user:secret@localhost"
    connector = MqttConnector(url)
    assert "secret" not in repr(connector) + repr(connector.settings) + str(connector.settings)


@each_row(
    "url",
    [
        "http://user:secret@localhost",
        "mqtt://user:secret/word@localhost",
        "mqtt://user:secret@localhost/path",
        "mqtt://user:secret@localhost:port",
        "mqtt://user:secret@localhost/?keep_alive=often",
        "mqt://user:secret@localhost",
        "user:secret@localhost",
        "mqtt://user:secret\u2100et@localhost",
        "mqtt://user:secret[@localhost",
        "mqtt://user:se?secret@localhost",
        "mqtt://user:1?secret&secret=1@localhost",
        "mqtt://user:se#secret@localhost",
        "mqtt://user:secret@ho st",
    ],
)
def test_an_error_about_a_url_does_not_show_the_password(url):
    with pytest.raises(ValueError) as raised:
        MqttConnector(url)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


@each_row(
    "host",
    ["localhost", "broker.example", "10.0.0.1", "[::1]", "[fe80::1%25eth0]", "bücher.example"],
)
def test_hosts_are_names_and_addresses(host):
    assert MqttConnector(f"mqtt://{host}:1").settings.host


@each_row(
    ("url", "address"),
    [
        ("mqtt://a:1,b,[::1]:3", "a:1, b:1883, [::1]:3"),
        ("mqtts://u:p@a,b:2/?keep_alive=5", "a:8883, b:2"),
        ("ws://a", "a:80"),
        ("wss://a:9001/path", "a:9001"),
        ("mqtt+unix:///run/mosquitto.sock", "/run/mosquitto.sock"),
    ],
)
def test_where_the_broker_is(url, address):
    assert MqttConnector(url).settings.address == address


def test_a_password_may_come_without_a_user():
    assert MqttConnector("mqtt://:token@localhost").settings.password == "token"


# --- what makes no sense --------------------------------------------------------------------------


@each_row(
    ("options", "words"),
    [
        ({"port": 70_000}, "port is between 0 and 65535"),
        ({"keep_alive": 0}, "keep_alive is between 1"),
        ({"session_expiry": -1}, "session_expiry"),
        ({"subscribe_qos": 3}, "subscribe_qos is between 0 and 2"),
        ({"protocol": "4"}, "protocol is one of 5, 3.1.1"),
        ({"payloads": "pickle"}, "payloads is one of json, bytes"),
        ({"host": ""}, "host is the name or address"),
        ({"host": "mqtt://user@localhost"}, "host is the name or address"),
        ({"host": "localhost:x"}, "host is the name or address"),
        ({"host": "localhost,,b"}, "host is the name or address"),
        ({"host": "user@localhost"}, "host is the name or address"),
        ({"host": "local host"}, "host is the name or address"),
        ({"key_file": "k.pem"}, "give cert_file too"),
        ({"password": "p", "protocol": "3.1.1"}, "give username too"),
        ({"transport": "pigeon"}, "transport is one of"),
        ({"transport": "unix"}, "give the path"),
        ({"client_id": "a", "status": True, "will": Will("a", 1)}, "one will"),
        ({"clean_start": False}, "give client_id"),
        ({"client_id": "a/+"}, "a published topic has no wildcards"),
        ({"max_queued": 0}, "at least 1 message"),
        ({"overflow": "lose"}, "overflow"),
    ],
)
def test_what_makes_no_sense_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        MqttConnector(**options)


def test_an_unknown_option_is_told_with_the_nearest_one():
    with pytest.raises(TypeError, match="keepalive.*keep_alive"):
        MqttConnector(keepalive=5)
    with pytest.raises(TypeError, match="clientid.*client_id"):
        MqttConnector("mqtt://localhost/?clientid=x")


@each_row("text", ["1", "yes", ""])
def test_a_truth_in_a_url_is_true_or_false(text):
    with pytest.raises(ValueError, match="clean_start"):
        MqttConnector(f"mqtt://localhost/?clean_start={text}")


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        MqttSettings().port = 5


def test_the_page_about_brokers_names_every_option():
    page = (ROOT / "docs" / "mqtt.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (`.*?`) \|", page, re.MULTILINE)
    named = {name for row in listed for name in re.findall(r"`(\w+)`", row)}
    assert {field.name for field in fields(MqttSettings)} == named
