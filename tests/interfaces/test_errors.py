"""The error tree is what its module draws, and each error keeps its facts and says what to do."""

import builtins
import copy
import inspect
import pickle
import pkgutil
import re
from importlib import import_module

from cascade.interfaces import CascadeError, errors
from rows import each_row

MODULES = [
    import_module(f"{errors.__name__}.{each.name}")
    for each in pkgutil.iter_modules(errors.__path__)
]
CLASSES = {
    name: value
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isclass(value)
    and issubclass(value, Exception)
    and value.__module__ == module.__name__
}
DRAWN = re.compile(r"^ {4}([│ ├└─]*)(\w+Error)(?: \((\w+)\))?(?: {2,}\S.*)?$", re.MULTILINE)
STEP = 4  # columns that one level of the drawing is indented by


def drawn_bases():
    """Read the drawing: the bases of each class, as names."""
    bases, trail = {}, []
    for indent, name, builtin in DRAWN.findall(errors.__doc__):
        depth = len(indent) // STEP
        del trail[depth:]
        above = trail[-1] if trail else "Exception"
        bases[name] = (above, builtin) if builtin else (above,)
        trail.append(name)
    return bases


def test_the_drawing_shows_the_real_tree():
    real = {name: tuple(base.__name__ for base in each.__bases__) for name, each in CLASSES.items()}
    assert drawn_bases() == real


def test_every_class_is_exported():
    assert set(CLASSES) | {"near_name"} == set(errors.__all__)


@each_row("name", CLASSES)
def test_one_except_catches_them_all(name):
    assert issubclass(CLASSES[name], CascadeError)
    assert CLASSES[name].__doc__


@each_row(("name", "bases"), drawn_bases().items())
def test_the_builtin_base_catches_it_too(name, bases):
    for base in bases[1:]:
        assert issubclass(CLASSES[name], getattr(builtins, base))


# Each error, its facts, and what its text has to speak of.
SAMPLES = [
    (
        errors.InvalidTopicError("a/b+", "'+' must be the whole of its level", 2),
        {"topic": "a/b+", "reason": "'+' must be the whole of its level", "level": 2},
        ["'a/b+'", "level 2", "must be the whole"],
    ),
    (errors.InvalidTopicError(7, "no"), {"topic": 7, "level": None}, ["invalid topic 7: no"]),
    (errors.NotConnectedError("publish"), {"action": "publish"}, ["cannot publish", "connect()"]),
    (
        errors.QueueFullError("a/b", "a/#", 8),
        {"topic": "a/b", "topic_filter": "a/#", "limit": 8},
        ["'a/b'", "'a/#'", "8 messages", "max_queued", "overflow policy"],
    ),
    (errors.NoConnectorError(), {}, ["Engine(connector=LocalBusConnector())"]),
    (
        errors.WrongLoopError("publish"),
        {"action": "publish"},
        ["cannot publish", "another event loop"],
    ),
    (errors.UnsuitableLoopError(), {}, ["cannot watch a socket", "SelectorEventLoop"]),
    (
        errors.PayloadError("a/b", "bytes are not JSON"),
        {"topic": "a/b", "reason": "bytes are not JSON"},
        ["'a/b'", "bytes are not JSON"],
    ),
    (
        errors.BrokerUnavailableError("connect", "host:1883", "refused"),
        {"action": "connect", "address": "host:1883", "reason": "refused"},
        ["cannot connect", "host:1883 (refused)", "check that it runs"],
    ),
    (
        errors.BrokerRefusedError("subscribe to 'a'", 0x87, "Not authorized"),
        {"action": "subscribe to 'a'", "code": 0x87, "reason": "Not authorized"},
        ["subscribe to 'a'", "Not authorized (reason code 0x87)", "access rules"],
    ),
    (
        errors.LazyUseError("f(1)", "iterated"),
        {"call": "f(1)", "use": "iterated"},
        ["f(1)", "cannot be iterated", "cs.run"],
    ),
    (
        errors.CyclicGraphError(["a", "b", "a"]),
        {"cycle": ["a", "b", "a"]},
        ["a -> b -> a", "tail call"],
    ),
    (
        errors.UnknownParameterError("sped", ["speed", "n"]),
        {"name": "sped", "known": ["n", "speed"]},
        ["'sped'", "run(target, {'sped': ...})", "Did you mean 'speed'?"],
    ),
    (
        errors.UnknownResourceError("dbs", "the task 'f'", ["db"]),
        {"name": "dbs", "wanted_by": "the task 'f'", "known": ["db"]},
        ["the task 'f' asks for", "engine.register", "Did you mean 'db'?"],
    ),
    (
        errors.ResourceCycleError(["a", "b", "a"]),
        {"cycle": ["a", "b", "a"]},
        ["a -> b -> a", "break"],
    ),
    (
        errors.BrokenProviderError("shell", "cascade-shell", "no module"),
        {"provider": "shell", "distribution": "cascade-shell"},
        ["'shell'", "'cascade-shell'", "no module"],
    ),
    (
        errors.ShellError("ls x", 2, "out", "no such file\n"),
        {"command": "ls x", "returncode": 2, "stdout": "out", "stderr": "no such file\n"},
        ["'ls x'", "status 2", "no such file"],
    ),
    (
        errors.ShellTimeoutError("ls x", 1.5, "out", "half a"),
        {"command": "ls x", "seconds": 1.5, "stdout": "out", "stderr": "half a"},
        ["'ls x' took longer than 1.5 s", "half a"],
    ),
    (
        errors.HttpStatusError("http://x/a", 429, b"slowly", 7.0),
        {"url": "http://x/a", "status": 429, "body": b"slowly", "retry_after": 7.0},
        ["http://x/a answered 429 Too Many Requests: slowly"],
    ),
    (errors.HttpStatusError("http://x/a", 799, b"", None), {"status": 799}, ["answered 799"]),
    (
        errors.BodyTooLargeError("http://x/a", 10),
        {"url": "http://x/a", "max_bytes": 10},
        ["http://x/a", "more than 10 bytes", "max_bytes=", "save_to="],
    ),
    (errors.InvalidTaskError("bad"), {}, ["bad"]),
    (
        errors.EncodeError("f(…).x[2]", "a tuple would come back as a list"),
        {"path": "f(…).x[2]", "reason": "a tuple would come back as a list"},
        ["f(…).x[2] cannot be written", "come back as a list"],
    ),
    (
        errors.DecodeError("f(…).x[2]", "int was expected"),
        {"path": "f(…).x[2]", "reason": "int was expected"},
        ["f(…).x[2] cannot be read", "int was expected"],
    ),
    (
        errors.UnknownTaskError("m:f", "nothing stands there"),
        {"id": "m:f", "reason": "nothing stands there"},
        ["the task 'm:f' cannot be read", "nothing stands there"],
    ),
    (
        errors.LeaseLostError("monday", 3),
        {"name": "monday", "epoch": 3},
        ["'monday'", "epoch 3", "nothing of this checkpoint was stored"],
    ),
    (errors.AgentExistsError("monday"), {"name": "monday"}, ["'monday'", "another name"]),
    (errors.AgentFinishedError("monday"), {"name": "monday"}, ["'monday'", "takes no signals"]),
]


@each_row(("error", "facts", "words"), SAMPLES)
def test_facts_are_attributes_and_the_text_says_what_to_do(error, facts, words):
    assert {name: getattr(error, name) for name in facts} == facts
    for word in words:
        assert word in str(error)


@each_row("error", [sample[0] for sample in SAMPLES])
@each_row("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_survives_the_way_back_from_a_worker_process(error, again):
    error.add_note("in task f")
    twin = again(error)
    assert type(twin) is type(error)
    assert twin.args == error.args
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)


def test_a_command_that_said_nothing_is_still_a_sentence():
    assert str(errors.ShellError("true", 1, "", "")).endswith("status 1: (no output)")


def test_only_the_end_of_what_a_command_said_is_shown():
    error = errors.ShellError("x", 1, "", "a" * 10_000 + "end")
    assert str(error).endswith("end")
    assert len(str(error)) < 600


@each_row(
    ("name", "known", "hint"),
    [("sped", ["speed"], " Did you mean 'speed'?"), ("zzz", ["speed"], ""), ("a", [], "")],
)
def test_only_a_near_name_is_suggested(name, known, hint):
    assert errors.near_name(name, known) == hint
