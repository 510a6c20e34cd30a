"""Orders of what is simultaneous, faults of the bus, and the search through them."""

import pytest

import cascade as cs
from cascade.interfaces.errors import DeadlockError, InvalidTopicError
from cascade.simulation import Faults
from cascade.testing import explore
from cascade.testing.exploring import ExplorationError
from rows import each_row


@cs.task
async def says(topic, value, _before=None):
    return cs.send(topic, value)


@cs.task
async def hears(topic, left, heard=(), signal=None):
    if signal is not None:
        heard = (*heard, signal)
    if len(heard) == left:
        return heard
    call = cs.recv(topic, 100, default="nothing", buffered=True)
    return hears(topic, left, heard, call)


def _heard(seed, count=4, **options):
    speakers = [says("word", n, cs.wait(1)) for n in range(count)]
    return cs.simulate([hears("word", count), *speakers], seed=seed, **options).results[0]


# --- orders ---------------------------------------------------------------------------------------


def test_a_random_schedule_tries_every_order_of_what_is_simultaneous():
    orders = {_heard(seed, 3, schedule="random") for seed in range(100)}
    assert len(orders) == 6
    assert {_heard(seed, 3) for seed in range(3)} == {(0, 1, 2)}


def test_in_every_order_a_deadline_wins_over_a_signal_of_the_same_instant():
    @cs.task
    async def waits():
        return await cs.evaluate(cs.recv("word", 1, default="late"))

    targets = [waits(), says("word", 1, cs.wait(1))]
    for seed in range(30):
        assert cs.simulate(targets, seed=seed, schedule="random").results[0] == "late"


def test_a_schedule_follows_from_the_seed():
    def run():
        return cs.simulate(
            [says("a", n) for n in range(9)], seed=5, schedule="random", check="twice"
        )

    assert run() == run()
    with pytest.raises(ValueError, match='schedule is "in order" or "random"'):
        cs.simulate(cs.wait(1), schedule="chaos")


# --- faults ---------------------------------------------------------------------------------------


def test_messages_are_lost_repeated_late_or_cut_off_as_the_faults_say():
    assert _heard(0, faults=Faults(loss=1.0)) == ("nothing",) * 4
    assert _heard(0, 2, faults=Faults(duplicate=1.0)) == (0, 0)
    assert _heard(0, faults=Faults(partitions=((0.5, 1.5),))) == ("nothing",) * 4
    assert _heard(0, faults=Faults(partitions=((2.0, 3.0),))) == (0, 1, 2, 3)
    assert _heard(0, faults=Faults("other/#", loss=1.0)) == (0, 1, 2, 3)
    assert len({_heard(seed, faults=Faults(delay=1.0)) for seed in range(20)}) > 5
    some = [_heard(seed, faults=Faults(loss=0.5)).count("nothing") for seed in range(20)]
    assert 0 < sum(some) < 80


def test_the_first_faults_whose_filter_matches_hold():
    both = [Faults("word"), Faults(loss=1.0)]
    assert _heard(0, faults=both) == (0, 1, 2, 3)
    assert _heard(0, faults=both[::-1]) == ("nothing",) * 4


def test_a_late_message_keeps_the_simulation_waiting_and_one_under_way_at_the_end_is_lost():
    late = cs.simulate([hears("word", 1), says("word", 1)], faults=Faults(delay=50.0))
    assert late.results[0] == (1,)
    assert 0 < late.duration < 50
    assert cs.simulate(says("word", 1), faults=Faults(delay=50.0)).duration == 0


def test_faults_follow_from_the_seed():
    faults = Faults(loss=0.3, delay=2.0, duplicate=0.3)
    assert [_heard(seed, faults=faults) for seed in range(5)] == [
        _heard(seed, faults=faults) for seed in range(5)
    ]
    simulated = [hears("word", 3), says("word", 1)]
    assert cs.simulate(simulated, faults=faults, check="twice").results[0]


@each_row(
    "wrong", [{"loss": 1.1}, {"duplicate": -1}, {"delay": float("inf")}, {"partitions": ((2, 1),)}]
)
def test_faults_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))[:9]):
        Faults(**wrong)


def test_the_filter_and_the_topic_are_checked_as_elsewhere():
    with pytest.raises(InvalidTopicError):
        Faults("a/#/b")
    with pytest.raises(InvalidTopicError):
        cs.simulate(says("a/#", 1), faults=Faults(loss=1.0))


# --- exploration ----------------------------------------------------------------------------------


@cs.task
async def write(value):
    """Acknowledge a value before it is stored: the fault that is looked for."""
    await cs.evaluate(cs.wait(1))
    await cs.evaluate(cs.send("acknowledged", value))
    await cs.evaluate(cs.wait(1))
    await cs.evaluate(cs.send("stored", value))


@cs.task
async def watch(writes):
    """Return the last value that was acknowledged, and the last one that was stored."""
    last = None, None
    for topic in ("acknowledged", "stored"):
        for _ in range(writes):
            value = await cs.evaluate(cs.recv(topic, buffered=True))
        last = (*last[1:], value)
    return last


def writers(count):
    return {"watch": watch(count), **{f"writer-{n}": write(n) for n in range(count)}}


def last_one_wins(done):
    acknowledged, stored = done.results[0]
    return acknowledged == stored


def test_an_order_that_goes_wrong_is_found_and_made_small():
    assert last_one_wins(cs.simulate(writers(5)))
    faults = [Faults("stored", delay=0.5, duplicate=0.01), Faults("other", loss=0.5)]
    with pytest.raises(ExplorationError, match="the invariant does not hold") as caught:
        explore(writers, invariant=last_one_wins, sizes=range(1, 6), faults=faults)
    found = caught.value
    assert (found.size, found.faults) == (2, ())
    assert len(writers(found.size)) == 3
    again = eval(found.replay, {"cs": cs, "writers": writers})
    assert not last_one_wins(again)


def test_faults_that_are_needed_are_kept_and_no_others():
    faults = Faults("stored", delay=0.5, loss=0.01, partitions=((9.0, 10.0),))
    with pytest.raises(ExplorationError) as caught:
        explore(writers, invariant=last_one_wins, sizes=[3, 2], faults=faults, schedule="in order")
    assert caught.value.faults == (Faults("stored", delay=0.5),)
    again = eval(caught.value.replay, {"cs": cs, "Faults": Faults, "writers": writers})
    assert not last_one_wins(again)


def test_where_nothing_goes_wrong_it_says_how_many_it_tried():
    assert explore(lambda: writers(1), invariant=last_one_wins, seeds=range(50)) == 50
    with pytest.raises(ValueError, match="needs seeds"):
        explore(lambda: writers(1), seeds=[])


def test_what_raises_goes_wrong_too_and_is_the_cause():
    with pytest.raises(ExplorationError, match="deadlock") as caught:
        explore(lambda: [cs.recv("word"), says("word", 1)], faults=Faults(loss=0.2))
    assert isinstance(caught.value.__cause__, DeadlockError)
    assert caught.value.replay.startswith("cs.simulate(targets(), seed=")
