"""Connectors and stores by URL, in the engine as on the command line."""

import pytest

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import UnknownSchemeError
from cascade.runtime.durable.opening import store_at
from cascade.stores.sqlite import SqliteStore
from durable import steps


def test_a_connector_is_found_by_the_scheme_of_its_url():
    assert isinstance(cs.Engine(connector="mqtt://localhost").connector, MqttConnector)
    assert isinstance(cs.Engine(connector="local://").connector, cs.LocalBusConnector)
    with pytest.raises(ValueError, match="'local://'"):
        cs.Engine(connector="local://elsewhere")


def test_a_store_is_a_file_or_found_by_the_scheme_of_its_url(tmp_path):
    assert isinstance(store_at("agents.db"), SqliteStore)
    assert isinstance(store_at(tmp_path / "agents.db"), SqliteStore)
    assert type(store_at("postgresql://localhost/agents")).__name__ == "PostgresStore"


@pytest.mark.parametrize(
    ("url", "named"), [("mtqt://user:secret@host", "'mtqt://…'"), ("nowhere", "no scheme")]
)
def test_what_nobody_knows_is_refused_without_its_secrets(url, named):
    with pytest.raises(UnknownSchemeError, match=r"installed are: local://…, mqtt://…") as error:
        cs.Engine(connector=url)
    assert named in str(error.value)
    assert "secret" not in str(error.value)
    with pytest.raises(UnknownSchemeError, match="postgresql"):
        store_at("redis://localhost")


def test_an_agent_of_a_file_by_its_path(tmp_path):
    for _ in range(2):
        value = cs.run(
            steps.count(3), store=str(tmp_path / "agents.db"), name="count", durable=True
        )
        assert value == 6
