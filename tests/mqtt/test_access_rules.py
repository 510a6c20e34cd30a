"""The example of access rules: each of its lines is enforced by Mosquitto, what it allows and what not."""

import pytest

import cascade as cs
from cascade.connectors.mqtt import MqttConnector
from cascade.interfaces.errors import BrokerRefusedError
from mqtt.access import rules, users
from mqtt.broker import NEEDS_BROKER
from repository.distributions import ROOT

pytestmark = NEEDS_BROKER

RULES = (ROOT / "docs" / "examples" / "mosquitto.acl").read_text(encoding="utf-8")

# Two topics for each filter of the file: one right below it and one further down.
TOPICS = {
    "cascade/constraints/#": {"cascade/constraints/global", "cascade/constraints/task/plane"},
    "cascade/telemetry/#": {"cascade/telemetry/mill/status", "cascade/telemetry/mill/job/x"},
    "cascade/telemetry/+/status": {"cascade/telemetry/mill/status"},
    "cascade/status/#": {"cascade/status/mill", "cascade/status/mill/more"},
    "workshop/#": {"workshop/door", "workshop/bench/vice"},
}
NOBODYS = {"workshops/door", "cascade/other", "elsewhere"}
ALL = set().union(NOBODYS, *TOPICS.values())

ALLOWED = {
    "operator": {
        "cascade/constraints/#": "readwrite",
        "cascade/telemetry/#": "read",
        "cascade/telemetry/+/status": "write",
        "cascade/status/#": "read",
    },
    "engine": {
        "cascade/constraints/#": "read",
        "cascade/telemetry/#": "write",
        "cascade/status/#": "write",
        "workshop/#": "readwrite",
    },
    "watcher": {"cascade/telemetry/#": "read"},
}
EACH = pytest.mark.parametrize("user", ALLOWED)
REFUSED = 0x87  # "not authorized" (MQTT 5.0 §2.4)


def topics(user, access):
    return set().union(*(TOPICS[f] for f, given in ALLOWED[user].items() if access in given))


@pytest.fixture
def guarded(start_broker, tmp_path):
    """A broker with the rules of the example, and somebody who may do everything."""
    names = dict.fromkeys([*ALLOWED, "root"], "secret")
    text = f"{RULES}\nuser root\ntopic readwrite #\n"
    return start_broker(*users(tmp_path, **names), *rules(tmp_path, text), anonymous=False)


async def test_the_tests_know_each_line_of_the_example():
    said = {}
    for line in RULES.splitlines():
        match line.split():
            case ["user", name]:
                said[name] = {}
            case ["topic", access, topic_filter]:
                said[name][topic_filter] = access
            case [word, *_]:
                assert word == "#", line
    assert said == ALLOWED


@EACH
async def test_who_may_write_may_publish_and_nobody_else(guarded, connect, user):
    connector = await connect(guarded, username=user, password="secret")
    answers = {}
    for topic in sorted(ALL):
        try:
            await connector.publish(topic, 1, qos=1)
        except BrokerRefusedError as error:
            answers[topic] = error.code
    assert answers == dict.fromkeys(ALL - topics(user, "write"), REFUSED)


@EACH
async def test_who_may_read_hears_and_nobody_else(guarded, connect, user):
    root = await connect(guarded, username="root", password="secret")
    connector = await connect(guarded, username=user, password="secret")
    heard = []

    async def hear(topic, payload):
        heard.append((topic, payload))

    async def hear_no_more(_topic, _payload):
        pass

    for topic in sorted(ALL):
        await root.publish(topic, "kept", retain=True)
    await connector.subscribe("#", hear)  # granted to everybody
    assert {topic for topic, payload in heard if payload == "kept"} == topics(user, "read")
    heard.clear()
    for topic in sorted(ALL):
        await root.publish(topic, "live", qos=1)
    await connector.subscribe("behind/all/that", hear_no_more)  # its answer comes after the rest
    assert {topic for topic, payload in heard if payload == "live"} == topics(user, "read")
    assert len(heard) == len(topics(user, "read"))


async def test_an_engine_that_may_not_report_does_not_start(guarded):
    @cs.task
    async def work():
        return "done"

    for user, telemetry in [("engine", True), ("watcher", False)]:
        connector = MqttConnector(guarded.url, username=user, password="secret")
        assert await cs.Engine(connector=connector, telemetry=telemetry).run(work()) == "done"
    connector = MqttConnector(guarded.url, username="watcher", password="secret")
    with pytest.raises(BrokerRefusedError, match="status"):
        await cs.Engine(connector=connector, telemetry=True).run(work())


async def test_nobody_comes_in_without_a_name(guarded, connect):
    with pytest.raises(BrokerRefusedError):
        await connect(guarded)
