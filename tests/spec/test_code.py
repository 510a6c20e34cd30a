"""The code of a function: what it does, and what all of its own distribution does that it names."""

import importlib
import sys
from textwrap import dedent

import pytest

from cascade.spec.content import code_of

FLOW = """
import math
import helpers
from functools import lru_cache, partial, wraps
from helpers import scaled, Rates

RATE = 2
LOG = object()
TABLE = {"a": 1}

def twice(f):
    @wraps(f)
    def wrapper(*args):
        return f(*args)
    return wrapper

def maker(n):
    def made(x):
        return x + n
    return made

made = maker(5)
half = partial(scaled, by=0.5)

@lru_cache
def kept(x):
    return x - RATE

@twice
def decorated(x):
    return x + TABLE["a"]

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def main(x, rates: "Rates", start=RATE):
    '''Say what it does.'''
    from helpers import late
    def inner(y):
        '''Inner.'''
        return helpers.deep(y)
    # a comment
    LOG
    return [inner(x), scaled(x), Rates().of(x), made(x), kept(x), decorated(x), even(x), late(x), half(x),
            math.sin(x)]
"""

HELPERS = """
from elsewhere import used

FACTOR = 3
UNUSED = 1

class Base:
    limit = 7
    def base(self):
        return 1

class Rates(Base):
    '''Rates.'''
    def of(self, x):
        return x
    @property
    def shown(self):
        return FACTOR

def scaled(x, by=FACTOR):
    return x * by

def deep(x):
    return used(x)

class Part:
    def held(self):
        return 1

def late(x: "Part", y: list[Part | None] = ()):
    return x

def unused(x):
    return x
"""

ELSEWHERE = """
def used(x):
    return x * 10
"""


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Return what writes the modules, loads them anew, and gives the code of ``main``."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    texts = {"flow": FLOW, "helpers": HELPERS, "elsewhere": ELSEWHERE}

    def look(module="flow", old="", new="", *, home=tmp_path):
        for name, text in texts.items():
            changed = text.replace(old, new) if name == module else text
            assert changed != text or name != module or old == new
            (home / f"{name}.py").write_text(dedent(changed))
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return code_of(importlib.import_module("flow").main)

    yield look
    for name in texts:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("flow", "# a comment", "# another one"),
        ("flow", "Say what it does.", "Say it otherwise."),
        ("flow", "'''Say what it does.'''", ""),
        ("flow", "'''Inner.'''", ""),
        ("flow", "[inner(x), scaled(x),", "[inner( x ),\n            scaled(x) ,"),
        ("flow", "import math", "\n\n# moved down\nimport math"),
        ("helpers", "UNUSED = 1", "UNUSED = 2"),
        ("helpers", "def unused(x):\n    return x", "def unused(x):\n    return -x"),
        ("helpers", "'''Rates.'''", ""),
    ],
)
def test_what_changes_nothing_that_it_does_leaves_its_code(look, module, old, new):
    assert look().digest == look(module, old, new).digest


@pytest.mark.parametrize(
    ("module", "old", "new", "part"),
    [
        ("flow", "return [inner(x)", "return [-inner(x)", "flow:main"),
        ("flow", "RATE = 2", "RATE = 2.0", "flow:RATE"),
        ("flow", "maker(5)", "maker(6)", "flow:maker.<locals>.made.n"),
        ("flow", "return x + n", "return x - n", "flow:maker.<locals>.made"),
        ("flow", '{"a": 1}', '{"a": 2}', "flow:TABLE"),
        ("flow", "return x - RATE", "return x + RATE", "flow:kept"),
        ("flow", 'return x + TABLE["a"]', 'return x - TABLE["a"]', "flow:decorated"),
        ("flow", "n != 0 and", "n > 0 and", "flow:odd"),
        ("flow", "by=0.5", "by=0.25", "flow:half"),
        ("flow", "import math", "import cmath as math", "flow:math"),
        ("helpers", "FACTOR = 3", "FACTOR = 4", "helpers:FACTOR"),
        ("helpers", "limit = 7", "limit = 8", "helpers:Base.limit"),
        (
            "helpers",
            "def base(self):\n        return 1",
            "def base(self):\n        return 2",
            "helpers:Base.base",
        ),
        (
            "helpers",
            "def of(self, x):\n        return x",
            "def of(self, x):\n        return -x",
            "helpers:Rates.of",
        ),
        ("helpers", "= ()):\n    return x", "= ()):\n    return -x", "helpers:late"),
        (
            "helpers",
            "def held(self):\n        return 1",
            "def held(self):\n        return 2",
            "helpers:Part.held",
        ),
        ("elsewhere", "x * 10", "x * 11", "elsewhere:used"),
    ],
)
def test_what_changes_what_it_does_is_named(look, module, old, new, part):
    before, after = look(), look(module, old, new)
    assert before.digest != after.digest
    names = {*before.parts, *after.parts}
    changed = {name for name in names if before.parts.get(name) != after.parts.get(name)}
    assert part in changed
    assert len(changed) <= 3


def test_a_function_is_looked_at_once(look):
    code = look()
    assert code_of(sys.modules["flow"].main) is code


def test_other_distributions_count_by_their_names(look):
    code = look()
    assert not [name for name in code.parts if name.startswith(("math:", "functools:"))]
    assert "flow:math" in code.parts


def test_a_module_that_was_changed_since_it_was_loaded_is_what_it_was_then(look, tmp_path):
    look()
    loaded = sys.modules["flow"].odd
    changed = FLOW.replace("n != 0 and", "n > 0 and")
    (tmp_path / "flow.py").write_text(changed)
    stale = code_of(loaded).parts["flow:odd"]
    assert stale != look("flow", "n != 0 and", "n > 0 and").parts["flow:odd"]


def test_what_is_made_in_passing_is_known_by_its_code():
    space = {"__name__": "passing"}
    exec("def f(x):\n    'a'\n    return x + 1\ndef g(x):\n    'b'\n    return x + 2", space)
    exec("def h(x):\n    'c'\n    return x + 1", space)
    f, g, h = (space[name] for name in "fgh")
    h.__qualname__ = "f"
    assert code_of(f).digest == code_of(h).digest != code_of(g).digest
    one, other = (lambda x: x + 1), (lambda x: x + 2)
    assert code_of(one).digest != code_of(other).digest


@pytest.mark.parametrize("thing", [len, int, print, object(), [].append])
def test_anything_has_code_of_a_kind(thing):
    assert code_of(thing).digest
