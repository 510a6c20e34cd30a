"""TLS as it should be unless somebody says otherwise: the broker is asked who it is."""

from __future__ import annotations

import ssl

from cascade.connectors.mqtt.settings import MqttSettings

__all__ = ["tls_context"]


def tls_context(settings: MqttSettings) -> ssl.SSLContext:
    """Return the context of a connection that the settings ask for.

    The broker's certificate is always checked against the authorities, and unless
    ``check_hostname`` is off, against the host's name.

    Raises:
        OSError: a file cannot be read, or is not PEM.
    """
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=settings.ca_file)
    context.check_hostname = settings.check_hostname
    if settings.cert_file is not None:
        context.load_cert_chain(settings.cert_file, settings.key_file)
    return context
