"""What all tests share: the same surroundings everywhere, examples that repeat, an engine."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# Whoever runs the tests may have a terminal, a language and a connector of their own, and may ignore
# interrupts, as a shell does for jobs in the background; programs under test inherit what is set here.
for name in [*os.environ]:
    if name.startswith(("CASCADE_", "LC_")) or name in {
        *("COLUMNS", "LINES", "LANG", "LANGUAGE", "FORCE_COLOR", "NO_COLOR", "CLICOLOR_FORCE"),
        *("TTY_COMPATIBLE", "TTY_INTERACTIVE", "PYTHONWARNINGS", "PYTHONHASHSEED"),
    }:
        del os.environ[name]
os.environ |= {
    "TERM": "xterm",
    "LC_ALL": "C.UTF-8",
    # A folder that may not be read turns "no such program" into "permission denied".
    "PATH": os.pathsep.join(
        folder for folder in os.get_exec_path() if os.access(folder, os.R_OK | os.X_OK)
    ),
}

import cascade as cs  # noqa: E402 - it reads CASCADE_DEBUG once

signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "cascade",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no fault of the examples
)
settings.load_profile("cascade")


@pytest.fixture
async def connector():
    """A connector to a broker of its own."""
    connector = cs.LocalBusConnector(cs.LocalBroker())
    await connector.connect()
    yield connector
    await connector.disconnect()


@pytest.fixture
async def engine(connector):
    """An engine that is open, on that connector."""
    async with cs.Engine(connector=connector) as engine:
        yield engine
