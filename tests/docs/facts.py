"""What the pages that are made of the packages cannot find out by themselves; tests compare it."""

PUBLIC = [
    "cascade.runtime.events",
    "cascade.discovery",
    "cascade.simulation",
    "cascade.testing",
    "cascade.testing.crashes",
    "cascade.testing.caches",
    "cascade.testing.connectors",
    "cascade.testing.stores",
    "cascade.otel",
    "cascade.drawing",
    "cascade.reports",
    "cascade.providers",
    "cascade.providers.http",
    "cascade.providers.slots",
    "cascade.connectors.local",
    "cascade.connectors.mqtt",
    "cascade.stores.sqlite",
    "cascade.stores.memory",
    "cascade.stores.postgres",
    "cascade.executors.pool",
    "cascade.executors.dask",
    "cascade.caches.memory",
    "cascade.caches.files",
    "cascade.common.messaging",
    "cascade.spec",
    "cascade.spec.codec",
    "cascade.spec.content",
    "cascade.interfaces",
    "cascade.interfaces.protocols",
    "cascade.interfaces.errors",
    "cascade.interfaces.store",
    "cascade.interfaces.cache",
    "cascade.interfaces.topics",
    "cascade.interfaces.acknowledgement",
    "cascade.runtime.observation.telemetry",
    "cascade.observatory",
]
"""Modules whose ``__all__`` is for users, beside ``cascade`` itself."""

TOPICS = {
    "cascade/constraints/<target>": "Orders to running engines, retained: `CONSTRAINT_TOPIC`; the target "
    "is `global`, `task/<name>` or `run/<id>`.",
    "cascade/telemetry/<engine>/<run>/<event>": "What an engine reports: `TELEMETRY_TOPIC`.",
    "cascade/telemetry/<engine>/status": "How an engine is, retained.",
    "cascade/agents/<name>/inbox": "What is sent to an agent by its name, `cs.agent(name)`: `INBOXES`.",
    "cascade/agents/<name>/card": "What an agent says of itself, retained: `cascade.discovery.CARDS`.",
    "cascade/status/<client_id>": "Whether a client of a broker is there, retained.",
    "cascade/round_trip_barrier/<id>": "What an MQTT client sends to itself, to know that the broker has "
    "read all that was sent before.",
}
"""Topics of Cascade's own."""

ENVIRONMENT = {
    "CASCADE_CONNECTOR": "URL of the broker, for commands: `mqtt://localhost:1883`.",
    "CASCADE_STORE": "Where durable agents lie, for commands: a file or a URL.",
    "CASCADE_CACHE": "Where values are remembered, for commands: a folder or a URL.",
    "CASCADE_EXECUTOR": "Where remote tasks run, for commands: a URL.",
    "CASCADE_MQTT_PASSWORD": "The password at the broker.",
    "CASCADE_LANGUAGE": "The language of messages: `en` or `zh`; else the locale's.",
    "CASCADE_OUTPUT": "How messages are written: `console`, `json` or `off`.",
    "CASCADE_DEBUG": "Keep the line where each call was written, for notes on failures.",
    "CASCADE_TRACEBACK": "`full` shows Cascade's own frames in tracebacks.",
}
"""Variables of the environment that Cascade reads."""
