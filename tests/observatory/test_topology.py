import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade.observatory import Topology, adjacency, all_to_all, grid, ring, torus
from rows import each_row


@each_row("side", [3, 4, 7, 20])
def test_everyone_sees_eight_others(side):
    neighbours = torus(side).neighbours
    assert len(neighbours) == side * side
    for agent, seen in enumerate(neighbours):
        assert len(set(seen)) == 8
        assert agent not in seen


@each_row("side", [3, 5, 8])
def test_seeing_is_mutual(side):
    neighbours = torus(side).neighbours
    assert all(
        agent in neighbours[other] for agent, seen in enumerate(neighbours) for other in seen
    )


def test_those_seen_are_next_to_the_agent_across_the_edges_too():
    assert set(torus(4).neighbours[0]) == {15, 12, 13, 3, 1, 7, 4, 5}
    assert set(torus(4).neighbours[5]) == {0, 1, 2, 4, 6, 8, 9, 10}


def test_a_torus_too_small_for_eight_neighbours_is_refused():
    with pytest.raises(ValueError, match="3 or more, not 2"):
        torus(2)


def is_mutual(topology):
    seen = topology.neighbours
    return all(me in seen[other] for me, others in enumerate(seen) for other in others)


@given(st.integers(2, 30))
def test_all_to_all_sees_everyone_but_itself(count):
    topology = all_to_all(count)
    assert [set(seen) | {me} for me, seen in enumerate(topology.neighbours)] == [
        set(range(count))
    ] * count
    assert topology.degree == count - 1
    assert topology.sees_everyone


@given(st.integers(1, 5), st.integers(0, 20))
def test_a_ring_reaches_as_far_on_both_sides(reach, more):
    count = 2 * reach + 1 + more
    topology = ring(count, reach)
    assert is_mutual(topology)
    assert {len(set(seen)) for seen in topology.neighbours} == {2 * reach}
    assert all(
        min((me - other) % count, (other - me) % count) <= reach
        for me, seen in enumerate(topology.neighbours)
        for other in seen
    )


@each_row("side", [2, 3, 6])
def test_a_grid_has_edges(side):
    topology = grid(side)
    assert is_mutual(topology)
    inner = max(0, side - 2)
    counts = sorted(len(seen) for seen in topology.neighbours)
    assert counts == [3] * 4 + [5] * 4 * inner + [8] * inner**2
    assert (topology.columns, topology.width) == (side, side)


def test_any_graph_may_be_given_also_one_way():
    topology = adjacency([[1, 2], [2], []], "a chain of command")
    assert topology.neighbours == ((1, 2), (2,), ())
    assert str(topology) == "a chain of command, 3"
    assert (topology.degree, topology.width, len(topology)) == (2, 2, 3)


@each_row(
    ("make", "reason"),
    [
        (lambda: all_to_all(1), "agents: 2 or more, not 1"),
        (lambda: ring(4, 2), "at least 5 agents, not 4"),
        (lambda: ring(9, 0), "a reach of 1 or more"),
        (lambda: grid(1), "side of a grid: 2 or more"),
        (lambda: adjacency([[0]]), "agent 0 sees itself"),
        (lambda: adjacency([[1, 1], []]), "somebody twice"),
        (lambda: adjacency([[1], [2]]), "agent 1 sees 2, and there are only 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(make, reason):
    with pytest.raises(ValueError, match=reason):
        make()


def test_those_without_rows_are_drawn_as_a_block_that_is_nearly_square():
    assert [Topology("x", ((),) * count).width for count in (1, 2, 4, 5, 9, 10, 100)] == [
        *(1, 2, 2, 3, 3, 4, 10)
    ]
