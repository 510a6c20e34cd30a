"""The MQTT connector is not there yet, and says so."""

import pytest

from cascade.connectors.mqtt import MqttConnector


@pytest.mark.parametrize("arguments", [(), ("localhost", 1883)])
def test_the_mqtt_connector_refuses_and_names_what_works(arguments):
    with pytest.raises(NotImplementedError, match=r"not in this release.*LocalBusConnector"):
        MqttConnector(*arguments)
