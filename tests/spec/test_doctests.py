"""The examples in the code are run."""

import doctest
from importlib import import_module
from pathlib import Path

from repository.distributions import distributions
from rows import each_row

MODULES = sorted(
    name
    for each in distributions()
    for name, path in each.modules.items()
    if ">>> " in Path(path).read_text(encoding="utf-8")
)


@each_row("name", MODULES)
def test_the_examples_of_a_module_do_what_they_say(name):
    tried = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert tried.attempted > 0
    assert tried.failed == 0


def test_there_are_examples():
    assert "cascade.spec.task" in MODULES
    assert "cascade.interfaces.topics.trie" in MODULES
