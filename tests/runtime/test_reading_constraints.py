"""Orders as they arrive: the class, its published schema and the engine say the same."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.interfaces.errors import InvalidConstraintError
from cascade.runtime.admission.constraints import constraint_schema, read_constraint
from repository.distributions import ROOT
from rows import each_row

FILE = ROOT / "docs" / "constraint.schema.json"
VALIDATOR = Draft202012Validator(constraint_schema())

PAUSE = {"id": "x", "type": "pause"}
AT_ONCE = {"id": "x", "type": "concurrency"}
PER_TIME = {"id": "x", "type": "rate_limit"}

TAKEN = [
    PAUSE,
    {**PAUSE, "expires_at": 0},
    {**PAUSE, "expires_at": 1.5},
    {**PAUSE, "expires_at": None, "n": None, "rate": None},
    {**PAUSE, "n": 3, "rate": "1/s"},
    {**AT_ONCE, "n": 1},
    {**AT_ONCE, "n": 2**53 - 1},
    {**PER_TIME, "rate": "20/s"},
    {**PER_TIME, "rate": " 0.5 / ms\n", "burst": 5},
]

REFUSED = [
    *(None, 0, 1, True, 1.5, "", "pause", [], [PAUSE], {}),
    {"id": "x"},
    {"type": "pause"},
    *({**PAUSE, "id": wrong} for wrong in (None, "", 7, True, ["x"])),
    *({**PAUSE, "type": wrong} for wrong in (None, "", "stop", "Pause", 1, ["pause"])),
    *({**PAUSE, "burst": wrong} for wrong in (None, 0, -1, 2**53, True, "2", 1.5)),
    *({**PAUSE, "expires_at": wrong} for wrong in ("soon", True, [])),
    *({**PAUSE, name: 1} for name in ("expires", "N", "", "scope")),
    AT_ONCE,
    *({**AT_ONCE, "n": wrong} for wrong in (None, 0, -1, 2**53, True, "3", 1.5, [3])),
    PER_TIME,
    *({**PER_TIME, "rate": wrong} for wrong in (None, 20, "", "20", "0/s", "0.0/m", "1/d", "٣/s")),
    {**PER_TIME, "rate": "9" * 10 + "/s"},
]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.just("x") | ANYTHING,
        "type": st.sampled_from(["pause", "concurrency", "rate_limit"]) | ANYTHING,
        "n": st.integers() | ANYTHING,
        "rate": st.from_regex(r"\s?[0-9.]+ ?/ ?(s|m|ms|h)\s?") | ANYTHING,
        "burst": st.integers() | ANYTHING,
        "expires_at": st.floats() | ANYTHING,
        "more": ANYTHING,
    },
)


def is_taken(payload):
    try:
        read_constraint(payload)
    except InvalidConstraintError:
        return False
    return True


def test_the_published_schema_is_what_the_class_gives():
    assert json.loads(FILE.read_text(encoding="utf-8")) == constraint_schema(), "run 'make schema'"


def test_the_schema_is_one():
    Draft202012Validator.check_schema(constraint_schema())


@each_row("payload", TAKEN)
def test_what_the_engine_takes_the_schema_takes(payload):
    assert is_taken(payload)
    assert VALIDATOR.is_valid(payload)


@each_row("payload", REFUSED)
def test_what_the_engine_refuses_the_schema_refuses(payload):
    assert not is_taken(payload)
    assert not VALIDATOR.is_valid(payload)


def test_for_the_schema_alone_a_number_with_a_point_may_be_whole():
    # JSON Schema 2020-12 §6.1.1 counts 3.0 among the integers; it cannot be told otherwise.
    payload = {**AT_ONCE, "n": 3.0}
    assert VALIDATOR.is_valid(payload)
    assert not is_taken(payload)


@given(NEARLY)
def test_no_order_is_taken_that_the_schema_refuses(payload):
    if is_taken(payload):
        assert VALIDATOR.is_valid(payload)


@given(ANYTHING | NEARLY)
def test_no_payload_stops_an_engine(payload):
    asyncio.run(runs_in_spite_of(payload))


async def runs_in_spite_of(payload):
    connector = cs.LocalBusConnector(cs.LocalBroker())
    await connector.connect()
    with capture() as messages:
        async with cs.Engine(connector=connector) as engine:
            await connector.publish("cascade/constraints/global", payload)
            running = asyncio.create_task(engine.run(cs.wait(0)))
            await asyncio.sleep(0)
            await connector.publish("cascade/constraints/global", {})
            await running
    await connector.disconnect()
    assert {message.id for message in messages} <= {"engine.constraint_malformed"}
