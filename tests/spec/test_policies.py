"""The numbers of policies: which make sense, and what follows from them."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.spec import Policies, Retry
from cascade.spec.codec import decode, encode
from cascade.spec.policies import NO_POLICIES, Cache, Placement
from rows import each_row


@cs.task(mode="remote")
def double(n: int) -> int:
    return 2 * n


@each_row(
    ("numbers", "words"),
    [
        ({"attempts": 0}, "at least 1"),
        ({"attempts": -3}, "at least 1"),
        ({"delay": -0.1}, "seconds >= 0"),
        ({"max_delay": -1}, "seconds >= 0"),
        ({"backoff": 0.5}, "factor >= 1"),
        ({"jitter": -0.1}, "between 0 and 1"),
        ({"jitter": 1.1}, "between 0 and 1"),
    ],
)
def test_retries_that_make_no_sense_are_refused(numbers, words):
    with pytest.raises(ValueError, match=words):
        Retry(**numbers)


def test_a_placement_is_written_and_read_and_a_batch_has_a_call():
    quick = double.with_placement("a", "b", priority=2, batch=9)
    assert quick.policies.placement == Placement(("a", "b"), 2, 9)
    for back in (decode(encode(quick(1))), pickle.loads(pickle.dumps(quick(1)))):
        assert back.task.policies == quick.policies
    with pytest.raises(ValueError, match="one call or more, not 0"):
        double.with_placement(batch=0)


def test_waits_grow_by_the_factor_up_to_the_longest():
    retry = Retry(attempts=6, delay=1, backoff=3, max_delay=20)
    assert [retry.wait_after(attempt, 0.5) for attempt in range(1, 6)] == [1, 3, 9, 20, 20]


def test_a_wait_that_grows_for_ever_stays_the_longest():
    retry = Retry(attempts=5_000, delay=1e-9, max_delay=3)
    assert retry.wait_after(4_999, 0.5) == 3
    assert Retry(attempts=5_000).wait_after(4_999, 0.5) == 0


def test_no_delay_is_no_wait():
    assert Retry().wait_after(1, 0.9) == 0


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1), st.integers(1, 50))
def test_jitter_stays_within_its_share(uniform, jitter, attempt):
    retry = Retry(delay=2, backoff=2, max_delay=10, jitter=jitter)
    middle = min(2 * 2 ** (attempt - 1), 10)
    wait = retry.wait_after(attempt, uniform)
    assert middle * (1 - jitter) - 1e-9 <= wait <= middle * (1 + jitter) + 1e-9


@each_row("ttl", [0, -1])
def test_a_cache_keeps_values_for_some_time(ttl):
    with pytest.raises(ValueError, match="above 0"):
        Cache(ttl=ttl)


def test_policies_ask_for_nothing_unless_told():
    assert Policies() == NO_POLICIES
    assert (NO_POLICIES.retry, NO_POLICIES.timeout, NO_POLICIES.cache) == (None, None, None)
    assert dict(NO_POLICIES.demands) == {}


@each_row("policies", [Retry(), Cache(), NO_POLICIES])
def test_policies_are_frozen(policies):
    field = next(iter(type(policies).__dataclass_fields__))
    with pytest.raises(AttributeError):
        setattr(policies, field, 1)
