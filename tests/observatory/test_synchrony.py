"""When a swarm counts as being in step."""

from cascade.observatory import (
    Coherence,
    Criterion,
    FlashLog,
    SynchronyWatch,
    Volley,
    VolleyFinder,
)


def volleys(flashes, needed, window):
    finder = VolleyFinder(needed, window)
    return [volley for time, agent in flashes if (volley := finder.add(time, agent))]


def watch(*cycles, count):
    """Return what is found in cycles, each a list of flash times, agent by agent."""
    log = FlashLog(count)
    for cycle in cycles:
        for time, agent in sorted((time, agent) for agent, time in enumerate(cycle)):
            log.add(agent, time, time)
    coherence = Coherence(log, 0.05)
    watch = SynchronyWatch(log, coherence, 1.0, Criterion(window=0.1, share=0.99, order=0.99))
    coherence.update()
    watch.update()
    return watch.found


def test_enough_agents_within_the_window_are_a_volley():
    flashes = [(1.0, 0), (1.04, 1), (1.08, 2), (2.0, 0), (2.0, 1), (2.0, 2)]
    assert volleys(flashes, 3, 0.1) == [Volley(1.0, 1.08), Volley(2.0, 2.0)]


def test_a_window_that_is_a_little_too_long_is_none():
    assert volleys([(1.0, 0), (1.05, 1), (1.11, 2)], 3, 0.1) == []


def test_the_same_agent_twice_counts_once():
    assert volleys([(1.0, 0), (1.01, 0), (1.02, 1)], 3, 0.1) == []


def test_a_volley_is_reported_once_however_many_flashes_follow():
    flashes = [(1 + k / 100, k) for k in range(5)]
    assert volleys(flashes, 3, 0.1) == [Volley(1.0, 1.02)]


def test_two_volleys_in_a_row_are_synchrony_since_the_first():
    found = watch([1.0] * 5, [2.0] * 5, [3.0] * 5, count=5)
    assert found is not None
    assert (found.first, found.second) == (Volley(1.0, 1.0), Volley(2.0, 2.0))
    assert found.order > 0.999


def test_a_single_volley_is_not():
    assert watch([0.1, 0.3, 0.5], [1.0] * 3, [1.9, 2.0, 2.3], [2.9, 3.0, 3.3], count=3) is None


def test_volleys_with_a_cycle_between_them_are_not():
    spread = [2.0, 2.3, 2.6]
    assert watch([1.0] * 3, spread, [3.0] * 3, [3.9, 4.2, 4.5], count=3) is None


def test_volleys_that_leave_the_order_below_its_mark_are_not():
    # Half of them a tenth of a cycle behind the others: r = cos(π/10) = 0.951.
    behind = [[cycle, cycle, cycle + 0.1, cycle + 0.1] for cycle in (1.0, 2.0, 3.0)]
    assert watch(*behind, count=4) is None


def test_one_in_a_hundred_may_be_out_of_step():
    cycles = [[cycle] * 99 + [cycle + 0.15] for cycle in (1.0, 2.0, 3.0)]
    assert watch(*cycles, count=100) is not None
    cycles = [[cycle] * 98 + [cycle + 0.15] * 2 for cycle in (1.0, 2.0, 3.0)]
    assert watch(*cycles, count=100) is None
