"""TLS: the broker has to prove who it is, and the client too where the broker asks for it."""

import pytest
import trustme

from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import BrokerUnavailableError
from cascade.testing.connectors import Heard, patience, reports
from mqtt.broker import NEEDS_BROKER

pytestmark = NEEDS_BROKER


@pytest.fixture
def authority():
    return trustme.CA()


@pytest.fixture
def folder(tmp_path, authority):
    """PEM files: the authority's, and certificates of the broker for two names, and of a client."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, identity in {
        "broker": "localhost",
        "other": "elsewhere.example",
        "lamp": "lamp",
    }.items():
        issued = authority.issue_cert(identity)
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    return tmp_path


@pytest.fixture
def listening(start_broker, folder):
    """Start a broker that speaks TLS under one of the names."""

    def start(name="broker", *more):
        mine = folder / f"{name}.pem"
        return start_broker(listener=[f"certfile {mine}", f"keyfile {mine}", *more])

    return start


def connector_to(broker, **options):
    given = {"tls": True, "connect_timeout": 5, "retry_delay": 0.02, **options}
    return MqttConnector(host="localhost", port=broker.port, **given)


async def exchange(connector):
    heard = Heard()
    await connector.connect()
    await connector.subscribe("a/#", heard)
    for number in range(500):  # so much that TLS has some in store that the socket no longer shows
        await connector.publish("a/b", "x" * number)
    await heard.until(500)
    await connector.disconnect()
    return [len(payload) for payload in heard.payloads]


async def test_a_broker_that_the_authority_vouches_for(listening, folder):
    connector = connector_to(listening(), ca_file=str(folder / "ca.pem"))
    assert await exchange(connector) == list(range(500))


async def test_a_broker_that_nobody_vouches_for_is_refused_at_once(listening):
    async with patience():
        with pytest.raises(BrokerUnavailableError, match="certificate verify failed"):
            await connector_to(listening(), connect_timeout=60).connect()


async def test_a_certificate_for_another_host_is_refused(listening, folder):
    broker, authority = listening("other"), str(folder / "ca.pem")
    async with patience():
        with pytest.raises(BrokerUnavailableError, match="Hostname mismatch"):
            await connector_to(broker, ca_file=authority, connect_timeout=60).connect()
    unchecked = connector_to(broker, ca_file=authority, check_hostname=False)
    assert len(await exchange(unchecked)) == 500


async def test_check_hostname_off_still_asks_who_vouches(listening):
    with pytest.raises(BrokerUnavailableError, match="certificate verify failed"):
        await connector_to(listening("other"), check_hostname=False).connect()


async def test_a_client_shows_its_certificate_where_the_broker_asks(listening, folder):
    authority = str(folder / "ca.pem")
    broker = listening("broker", f"cafile {authority}", "require_certificate true")
    with_certificate = connector_to(broker, ca_file=authority, cert_file=str(folder / "lamp.pem"))
    assert len(await exchange(with_certificate)) == 500
    with reports(), pytest.raises(BrokerUnavailableError):
        await connector_to(broker, ca_file=authority, connect_timeout=0.3).connect()


async def test_a_file_that_is_not_there_is_told_when_connecting(listening):
    with pytest.raises(FileNotFoundError):
        await connector_to(listening(), ca_file="nowhere.pem").connect()


async def test_plain_words_to_a_broker_that_speaks_tls_get_no_answer(listening):
    connector = connector_to(listening(), tls=False, connect_timeout=0.5)
    with pytest.raises(BrokerUnavailableError):
        await connector.connect()
