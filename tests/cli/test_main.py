"""The program: its commands, its exit statuses, and what it says when something is missing."""

import sys
from importlib.metadata import EntryPoint, version

import pytest
from typer.testing import CliRunner

import cascade.cli.commands
from cascade.cli import main
from cascade.cli.app import make_app
from cascade.cli.commands import GROUP
from cascade.common.messaging.testing import capture
from cascade.runtime.plugins import Plugin


@pytest.fixture
def offered(monkeypatch):
    """Return a function that makes up the entry points."""

    def offer(**values):
        made = {
            name: Plugin(name, "cascade-extra", EntryPoint(name, value, GROUP).load)
            for name, value in values.items()
        }
        monkeypatch.setattr(cascade.cli.commands, "plugins", lambda group: made)

    return offer


def hello(name: str = "world"):
    """Greet."""
    print(f"hello {name}")


def test_the_version_is_that_of_the_distribution(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cascade {version('cascade-py')}\n"


def test_help_lists_the_commands():
    shown = CliRunner().invoke(make_app(), ["--help"])
    assert shown.exit_code == 0
    assert "fireflies" in shown.output


def test_a_distribution_brings_its_own_command(offered, capsys):
    offered(hello=f"{__name__}:hello")
    assert main(["hello", "--name", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"


def test_wrong_usage_is_one_sentence_and_status_2(capsys):
    assert main(["no-such-command"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cascade: No such command")
    assert len(err.splitlines()) == 1


def test_no_arguments_show_the_help_and_are_wrong_usage(capsys):
    assert main([]) == 2
    assert "--version" in "".join(capsys.readouterr())


def test_a_command_of_a_missing_part_names_the_extra(offered):
    offered()
    with capture() as messages:
        assert main(["fireflies", "--side", "3"]) == 1
    assert [message.id for message in messages] == ["cli.command_missing"]
    assert "pip install 'cascade-py[fireflies]'" in messages[0].text


def test_a_command_that_lacks_a_library_names_library_distribution_and_extra(offered):
    offered(fireflies="no_such_library:run", spiders="no_such_library.deep:run")
    for command, extra in (
        ("fireflies", "cascade-py[fireflies]"),
        ("spiders", "cascade-extra[spiders]"),
    ):
        with capture() as messages:
            assert main([command]) == 1
        assert messages[0].id == "cli.command_needs"
        for part in (command, "cascade-extra", "no_such_library", f"pip install '{extra}'"):
            assert part in messages[0].text


def test_a_broken_command_is_named_with_its_distribution_and_harms_no_other(offered, capsys):
    offered(broken=f"{__name__}:nowhere", hello=f"{__name__}:hello")
    with capture() as messages:
        assert main(["broken", "--with", "anything"]) == 1
    assert messages[0].id == "cli.command_broken"
    assert "broken" in messages[0].text
    assert "cascade-extra" in messages[0].text
    assert "AttributeError" in messages[0].text
    assert main(["hello"]) == 0
    assert capsys.readouterr().out == "hello world\n"


def test_without_typer_the_program_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "typer", None)
    monkeypatch.delitem(sys.modules, "cascade.cli.app")
    monkeypatch.delitem(sys.modules, "cascade.cli.commands")
    with capture() as messages:
        assert main(["--version"]) == 1
    assert [message.id for message in messages] == ["cli.library_missing"]
    assert "pip install 'cascade-py[cli]'" in messages[0].text
