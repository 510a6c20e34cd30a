"""Providers: how they are found, and what the built-in ones do."""

import pydoc
import sys
from importlib.metadata import EntryPoint

import pytest

import cascade as cs
from cascade.interfaces.errors import BrokenProviderError, UnknownProviderError
from cascade.providers import Provider, provider_names, registry
from cascade.runtime.plugins import Plugin


@pytest.fixture
def found(monkeypatch):
    """Let the test say which entry points are installed."""

    def install(**points):
        made = {
            name: Plugin(name, "some-package", EntryPoint(name, value, registry.GROUP).load)
            for name, value in points.items()
        }
        monkeypatch.setattr(registry, "plugins", lambda group: made)

    registry.load_provider.cache_clear()
    yield install
    registry.load_provider.cache_clear()


class Doubler:
    name = "double"

    def create_factory(self):
        return cs.Task(lambda x: 2 * x, name="double", mode="inline")


class Unwilling:
    def __init__(self):
        raise OSError("no licence")


def test_the_built_in_providers_are_installed():
    assert provider_names() == [
        *("fs.copy", "fs.exists", "fs.glob", "fs.remove"),
        *("http.delete", "http.get", "http.head", "http.patch", "http.post", "http.put"),
        *("read.bytes", "read.csv", "read.json", "read.parquet", "read.text", "read.toml"),
        *("read.yaml", "recv", "shell", "sql", "template"),
        *("write.bytes", "write.csv", "write.json", "write.parquet", "write.text", "write.toml"),
        "write.yaml",
    ]
    assert {"http", "shell", "template"} <= set(dir(cs))


def test_a_third_party_provider_is_found_under_its_name(found):
    found(double=f"{__name__}:Doubler")
    assert cs.run(cs.double(21)) == 42
    assert isinstance(Doubler(), Provider)


def test_a_provider_that_nobody_offers_says_so_with_the_near_name(found):
    found(shell="x:y")
    with pytest.raises(
        UnknownProviderError, match="no installed package provides it.*mean 'shell'"
    ):
        _ = cs.shel
    assert not hasattr(cs, "nothing_like_it")


def test_a_provider_that_lacks_a_library_names_distribution_and_extra(found):
    found(gone="module_that_is_not_there:Provider")
    with pytest.raises(
        BrokenProviderError, match=r"'gone' of the distribution 'some-package'.*pip install"
    ):
        _ = cs.gone


def test_a_provider_that_fails_to_load_is_named(found):
    found(bad=f"{__name__}:Unwilling")
    with pytest.raises(BrokenProviderError, match="'bad'.*OSError: no licence") as caught:
        _ = cs.bad
    assert (caught.value.provider, caught.value.distribution) == ("bad", "some-package")


def test_importing_cascade_imports_no_optional_library():
    code = (
        "import sys, cascade; "
        "late = {'httpx', 'jinja2', 'typer', 'rich', 'matplotlib', 'msgspec'}; "
        "print(sorted(late & set(sys.modules)))"
    )
    assert cs.run(cs.shell([sys.executable, "-c", code])).stdout == "[]\n"


def test_help_of_a_namespace_shows_what_is_in_it():
    text = pydoc.render_doc(cs.http, renderer=pydoc.plaintext)
    assert "cs.http.get(url, **options)\n" in text
    assert "Send a GET request" in text


def test_help_of_a_namespace_says_what_is_not_installed(found):
    found(**{"far.away": "nowhere:Provider"})
    assert "it needs 'nowhere', which is not installed" in cs.far.__doc__
