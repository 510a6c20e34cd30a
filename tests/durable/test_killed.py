"""Processes that are killed and stopped at any instant: every agent comes to its end, and to the right one."""

import os
import signal

import pytest
from benchmarks.campaigns.kills import campaign

from benchmarks import postgres

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="a system without SIGKILL"),
    pytest.mark.timeout(240),
]


def assert_holds(verdict):
    assert verdict.holds, str(verdict)
    assert verdict.kills + verdict.stops >= 3
    assert len(verdict.claims) > len(verdict.agents)


@pytest.mark.parametrize("engines", [1, 2])
def test_agents_outlive_processes_that_are_killed_at_any_instant(tmp_path, engines):
    store = str(tmp_path / "agents.db")
    assert_holds(
        campaign(store, tmp_path, engines=engines, agents=40, rounds=40, harms=6, stops=engines > 1)
    )


@pytest.mark.skipif(
    os.name != "posix" or postgres.programs() is None, reason="PostgreSQL is not installed"
)
def test_so_they_do_on_postgresql_with_three_engines(tmp_path):
    with postgres.server() as address:
        parts = dict(part.split("=", 1) for part in address.split())
        store = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
        assert_holds(
            campaign(store, tmp_path, engines=3, agents=40, rounds=40, harms=6, stops=True)
        )
