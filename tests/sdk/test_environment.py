"""``cs.env``: a variable of the environment as a call, and secrets that nobody is shown."""

import datetime as dt
import enum
import pickle

import pytest

import cascade as cs
from cascade.common.messaging import bus
from cascade.common.messaging.render import compose, write
from cascade.common.messaging.secrets import Secret, masked, masked_data
from cascade.common.messaging.settings import Settings
from cascade.drawing import dot, mermaid
from cascade.interfaces.errors import EncodeError, InvalidInputError, MissingVariableError
from cascade.spec.codec import decode, encode
from rows import each_row


class Level(enum.Enum):
    LOUD = "loud"


@cs.task(mode="inline")
def told(value):
    return value


@cs.task(mode="inline")
def refuses(value):
    raise ValueError(f"not {value}")


@each_row(
    ("kind", "text", "value"),
    [
        (None, "7", "7"),
        (str, "7", "7"),
        (int, "7", 7),
        (bool, "true", True),
        (list[int], "[1, 2]", [1, 2]),
        (dt.date, "2026-11-29", dt.date(2026, 11, 29)),
        (Level, "loud", Level.LOUD),
        (int | None, "null", None),
    ],
)
def test_a_variable_is_what_its_type_says(kind, text, value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASCADE_TEST", text)
        assert cs.run(told(cs.env("CASCADE_TEST", type=kind))) == value
        copied = decode(encode(cs.env("CASCADE_TEST", type=kind)))
        assert cs.run(pickle.loads(pickle.dumps(copied))) == value
        assert cs.run(cs.param("x", type=kind or str), {"x": text}) == value


def test_it_is_read_when_it_is_needed(monkeypatch):
    call = cs.env("CASCADE_TEST", "none")
    monkeypatch.delenv("CASCADE_TEST", raising=False)
    assert cs.run(call) == "none"
    monkeypatch.setenv("CASCADE_TEST", "some")
    assert cs.run(call) == "some"


def test_one_that_is_missing_or_wrong_is_named(monkeypatch):
    monkeypatch.setenv("CASCADE_TEST_PORT", "eighty")
    with pytest.raises(MissingVariableError, match=r"'CASCADE_TEST_PROT'.*'CASCADE_TEST_PORT'\?"):
        cs.run(cs.env("CASCADE_TEST_PROT"))
    with pytest.raises(InvalidInputError, match="'CASCADE_TEST_PORT' is 'eighty', which is no int"):
        cs.run(cs.env("CASCADE_TEST_PORT", type=int))
    with pytest.raises(InvalidInputError) as error:
        cs.run(cs.env("CASCADE_TEST_PORT", type=int, secret=True))
    assert "eighty" not in str(error.value)


# --- secrets --------------------------------------------------------------------------------------


@pytest.fixture
def secret(monkeypatch):
    monkeypatch.setenv("CASCADE_TEST", 'open "sesame\n')
    return 'open "sesame\n'


def test_a_secret_is_its_text_to_who_uses_it_and_shows_none(secret):
    value = cs.run(told(cs.env("CASCADE_TEST", secret=True)))
    assert value == secret
    assert f"{value}" == secret
    assert repr(value) == repr(told(value))[5:-1] == "***"
    assert type(pickle.loads(pickle.dumps(value))) is Secret
    with pytest.raises(ValueError, match="four|4 characters"):
        Secret("abc")


def test_a_secret_is_masked_in_texts_and_data_however_it_is_written(secret):
    value = Secret(secret)
    assert masked(f"a {value} {secret!r} \\u0022") == "a ***\n '***\\n' \\u0022"
    data = {"a": [value, 1, None], f"b{secret}": (2.5, "x")}
    assert masked_data(data) == {"a": ["***\n", 1, None], "b***\n": [2.5, "x"]}


def test_messages_do_not_say_a_secret(secret, capsys):
    Secret(secret)
    said = []
    with bus.divert(said.append):
        bus.error("engine.listener_error", event="X", error=ValueError(secret))
    assert "***" in said[0].text
    assert "sesame" not in said[0].text
    for output in ("console", "json"):
        settings = Settings(output=output)
        error = ValueError(secret)
        facts = {"event": secret, "error": error}
        write(compose("error", "engine.listener_error", facts, settings), settings)
    assert "sesame" not in capsys.readouterr().err


async def test_telemetry_does_not_tell_a_secret(secret):
    heard = []

    async def listen(_topic, payload):
        heard.append(payload)

    connector = cs.LocalBusConnector(broker=cs.LocalBroker())
    await connector.connect()
    await connector.subscribe("cascade/telemetry/#", listen)
    engine = cs.Engine(connector=connector, telemetry=True)
    with pytest.raises(ValueError, match="sesame"):
        await engine.run(refuses(cs.env("CASCADE_TEST", secret=True)))
    await connector.disconnect()
    assert "***" in str(heard)
    assert "sesame" not in str(heard)


def test_drawings_do_not_show_a_secret(secret):
    call = cs.task(lambda: None, name=f"with {secret}")()
    Secret(secret)
    assert "sesame" not in mermaid(call) + dot(call)


def test_a_secret_is_not_written_into_a_stored_call(secret):
    with pytest.raises(EncodeError) as error:
        encode(told(Secret(secret)))
    assert "sesame" not in str(error.value)
