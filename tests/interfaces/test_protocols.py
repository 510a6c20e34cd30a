"""The seams: what counts as a connector."""

from cascade.connectors.local import LocalBroker, LocalBusConnector
from cascade.interfaces import Connector, SubscriptionHandle


def test_the_local_connector_is_a_connector():
    assert isinstance(LocalBusConnector(broker=LocalBroker()), Connector)


def test_what_cannot_subscribe_is_no_connector():
    assert not isinstance(object(), Connector)


async def test_a_local_subscription_is_a_subscription_handle():
    async def hear(topic, payload):
        """Only has to exist."""

    connector = LocalBusConnector(broker=LocalBroker())
    await connector.connect()
    handle = await connector.subscribe("a", hear)
    assert isinstance(handle, SubscriptionHandle)
    await connector.disconnect()
