"""Durable agents come to the same end wherever their process dies."""

import cascade as cs
from cascade.stores.memory import MemoryStore
from cascade.testing.crashes import crash_everywhere
from durable import steps


def bus():
    return cs.LocalBusConnector(cs.LocalBroker())


def test_agents_that_work_wait_and_talk_survive_a_crash_at_every_operation():
    report = crash_everywhere(
        {
            "counts": steps.count(3),
            "asker": steps.asks("answerer"),
            "answerer": steps.answers(),
            "sleeper": steps.naps(40.0),
            "patient": steps.patient(60.0),
            "shop": steps.shop(steps.Cart("ann", []), 2),
        }
    )
    assert report.values == {
        "counts": "finished: 6",
        "asker": 'finished: "answer"',
        "answerer": 'finished: "question"',
        "sleeper": 'finished: "awake"',
        "patient": 'finished: "nothing"',
        "shop": 'finished: {"owner":"ann","items":["item 2","item 1"]}',
    }
    assert report.operations > 20
    assert report.crashes == 2 * report.operations
    assert report.differences == []


def test_signals_on_topics_reach_who_listens_once_wherever_a_process_dies():
    report = crash_everywhere(
        {"lamp": steps.lamp(3, []), "presser": steps.pressed_when_heard(3, "p")}, connector=bus
    )
    assert report.values["lamp"] == 'finished: ["p3","p2","p1"]'
    assert report.differences == []


def test_what_a_crash_changes_is_told():
    steps.ran.clear()
    report = crash_everywhere({"counts": steps.counts_its_runs()})
    assert report.values == {"counts": "finished: 1"}
    assert any(each.found != "finished: 1" for each in report.differences)


def test_a_simulation_with_a_store_goes_on_where_the_one_before_was_ended():
    store = MemoryStore()
    agents = {"n": steps.naps(3600.0), "c": steps.count(2)}
    first = cs.simulate(agents, store=store, until=1800.0)
    assert (first.results, first.finished) == ([None, 3], [False, True])
    second = cs.simulate(agents, store=store)
    assert second.results == ["awake", 3]


def test_the_same_simulation_with_a_store_has_the_same_hash_and_duration():
    agents = {"asker": steps.asks("answerer"), "answerer": steps.answers(), "n": steps.naps(90.0)}
    one, other = (cs.simulate(agents, store=MemoryStore(), seed=3) for _ in range(2))
    assert one == other
    assert one.results == ["answer", "question", "awake"]
