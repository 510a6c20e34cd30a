"""The campaigns, small: what they find at length must hold for a moment, too."""

import asyncio
import re
import sys

import pytest
from benchmarks.campaigns import constraint_line, fuzz_orders, machines, random_graphs
from benchmarks.campaigns.mqtt_losses import Verdict, campaign

import cascade as cs
from mqtt.broker import NEEDS_BROKER
from rows import each_row
from stores.postgres import NEEDS_POSTGRES


@pytest.mark.slow
@pytest.mark.broker
@NEEDS_BROKER[1]
async def test_messages_get_through_losses_of_every_kind():
    verdict = await campaign(messages=2_000, losses=6, timeout=90)
    assert verdict.holds, verdict
    assert verdict.in_order, verdict


def test_a_verdict_tells_what_was_lost():
    verdict = Verdict(10, 9, 2, in_order=True, losses=3, seconds=1.0)
    assert not verdict.holds
    assert "BROKEN: 10 published, 9 handled, 1 lost, 2 handled twice, in order" in str(verdict)


# --- workers on several machines ---------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.broker
@pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 is an address of Linux alone")
@NEEDS_BROKER[1]
@NEEDS_POSTGRES[0]
def test_workers_take_up_what_one_drove_that_is_killed(capsys):
    assert machines.main(["--agents", "10", "--rounds", "5", "--pause", "6"]) == 0
    killed, cut, stopped, told, verdict = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"killed: 10 agents; the first was driven elsewhere after .*", killed)
    assert [each.partition(":")[0] for each in (cut, stopped, told)] == [
        "cut off",
        "stopped",
        "told to stop",
    ]
    assert verdict.startswith("HOLDS: 10 agents of 5 rounds")


# --- random graphs ----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_graphs_that_are_cancelled_at_random_close_everything():
    verdict = await random_graphs.campaign(graphs=300)
    assert verdict.holds, verdict
    assert min(verdict.ends[end] for end in ("came to a value", "failed", "cancelled")) > 0


async def test_a_resource_that_is_not_closed_is_a_fault(monkeypatch):
    monkeypatch.setattr(random_graphs, "_closing", lambda name: asyncio.sleep(0))
    verdict = await random_graphs.campaign(graphs=30)
    assert not verdict.holds
    assert "resources of scope task" in str(verdict)


async def test_a_task_that_is_left_is_a_fault(monkeypatch):
    monkeypatch.setattr(random_graphs, "_THREADS_END", 0.01)
    left = []
    run = cs.Engine.run

    async def leaves_one(engine, *arguments):
        left.append(asyncio.create_task(asyncio.sleep(60)))
        return await run(engine, *arguments)

    monkeypatch.setattr(cs.Engine, "run", leaves_one)
    verdict = await random_graphs.campaign(graphs=2)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    assert "graph 0: task <Task" in str(verdict)


# --- the line behind a limit ------------------------------------------------------------------------


async def test_all_in_a_line_run_and_never_more_than_the_limit_says():
    verdict = await constraint_line.campaign([100, 1_000])
    assert verdict.limit_holds, verdict
    assert [line.ran for line in verdict.lines] == [100, 1_000]


@each_row(
    ("last", "told"),
    [
        (constraint_line.Line(100, 100, 10, 0.15), "HOLDS"),
        (constraint_line.Line(100, 100, 10, 0.25), "BROKEN"),  # each costs more than twice as much
        (constraint_line.Line(100, 99, 10, 0.1), "BROKEN"),
        (constraint_line.Line(100, 100, 11, 0.1), "BROKEN"),
    ],
)
def test_a_verdict_tells_of_lines(last, told):
    first = constraint_line.Line(10, 10, 10, 0.01)
    assert str(constraint_line.Verdict([first, last])).startswith(told)


# --- nonsense ---------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_nonsense_hangs_and_leaves_nothing():
    verdict = await fuzz_orders.campaign(seconds=1.0)
    assert (verdict.hung, verdict.left) == (0, 0), verdict
    assert verdict.rounds > 0
    assert verdict.reports > 0
    assert 0 < verdict.refused < verdict.topics


@each_row(
    ("facts", "holds"),
    [({}, True), ({"hung": 1}, False), ({"left": 1}, False), ({"grown": 1 << 20}, False)],
)
def test_a_verdict_tells_what_nonsense_did(facts, holds):
    verdict = fuzz_orders.Verdict(**facts)
    assert verdict.holds == holds
    assert str(verdict).startswith("HOLDS" if holds else "BROKEN")
