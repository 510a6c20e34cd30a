import pytest

from cascade.observatory import torus


@pytest.mark.parametrize("side", [3, 4, 7, 20])
def test_everyone_sees_eight_others(side):
    neighbours = torus(side).neighbours
    assert len(neighbours) == side * side
    for agent, seen in enumerate(neighbours):
        assert len(set(seen)) == 8
        assert agent not in seen


@pytest.mark.parametrize("side", [3, 5, 8])
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
