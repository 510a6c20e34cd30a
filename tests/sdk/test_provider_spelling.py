"""A provider is a class with a name and create_factory(); its name may be dotted."""

from importlib.metadata import EntryPoint

import pytest

import cascade as cs
from cascade.interfaces.errors import BrokenProviderError, UnknownProviderError
from cascade.providers import LazyFactory, Provider, provider_names, registry
from cascade.runtime.plugins import Plugin


@cs.task(mode="inline")
def double(x: int) -> int:
    return 2 * x


class ByInheritance(Provider):
    name = "double"

    def create_factory(self) -> LazyFactory:
        return double


class Dotted:
    name = "sums.twice"

    def create_factory(self):
        return double


class WithoutFactory:
    name = "bare"


class WithOldFactory:
    name = "old"

    def factory(self):
        return double


class Misnamed(ByInheritance):
    name = "other"


class Uncallable:
    name = "empty"

    def create_factory(self):
        return None


@pytest.fixture
def installed(monkeypatch):
    """Let the test say which entry points are installed."""

    def install(points):
        made = {
            name: Plugin(name, "a-package", EntryPoint(name, value, registry.GROUP).load)
            for name, value in points.items()
        }
        monkeypatch.setattr(registry, "plugins", lambda group: made)

    registry.load_provider.cache_clear()
    yield install
    registry.load_provider.cache_clear()


def here(provider):
    return f"{__name__}:{provider.__name__}"


def test_a_provider_may_inherit_from_the_protocol(installed):
    installed({"double": here(ByInheritance)})
    assert cs.run(cs.double(21)) == 42
    assert cs.run(cs.double.map([1, 2])) == [2, 4]


def test_a_dotted_name_stands_below_its_first_part(installed):
    installed({"sums.twice": here(Dotted), "double": here(ByInheritance)})
    assert cs.run(cs.sums.twice(21)) == 42
    assert dir(cs.sums) == ["twice"]
    assert repr(cs.sums) == "<providers cs.sums.…>"
    with pytest.raises(
        TypeError, match=r"cs\.sums is not called itself; there are cs\.sums\.twice"
    ):
        cs.sums(1)
    with pytest.raises(UnknownProviderError, match=r"'sums\.twise'.*'sums\.twice'"):
        _ = cs.sums.twise
    assert not hasattr(cs.sums, "_private")


def test_a_provider_without_a_factory_says_what_it_lacks(installed):
    installed({"bare": here(WithoutFactory), "old": here(WithOldFactory)})
    for name in ("bare", "old"):
        with pytest.raises(BrokenProviderError, match=r"needs a name and create_factory\(\)"):
            getattr(cs, name)


def test_a_provider_whose_names_differ_is_refused(installed):
    installed({"double": here(Misnamed)})
    with pytest.raises(
        BrokenProviderError, match="calls itself 'other', and its entry point 'double'"
    ):
        _ = cs.double


def test_a_factory_that_makes_no_calls_is_refused(installed):
    installed({"empty": here(Uncallable)})
    with pytest.raises(BrokenProviderError, match="returned None, which makes no calls"):
        _ = cs.empty


def test_every_provider_of_our_own_keeps_the_spelling():
    registry.load_provider.cache_clear()
    for name in provider_names():
        factory = registry.load_provider(name)
        assert callable(factory), name
        assert callable(factory.map), name


def test_the_provided_recv_is_mapped_over_filters():
    recv = registry.load_provider("recv")
    bus = cs.LocalBusConnector(cs.LocalBroker())

    @cs.task(mode="inline")
    def both(_sent, heard):
        return heard

    sent = [cs.send("a", 1), cs.send("b", 2)]
    assert cs.run(both(sent, recv.map(["a", "b"])), connector=bus, listen=["a", "b"]) == [1, 2]
    assert repr(recv("a")) == "recv('a')"
