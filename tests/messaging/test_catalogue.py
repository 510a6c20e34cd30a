"""The two catalogues say the same, and say everything that the code asks for."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from cascade.common.messaging.catalogue import sentence, texts
from rows import each_row

ROOT = Path(__file__).parents[2]
LEVELS = {"info", "warning", "error"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def said_in(tree: ast.AST) -> Iterator[tuple[str, set[str] | None]]:
    """Yield the id and the names of the facts of each call; None where facts come as ``**``."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="bus"), attr=level),
                args=[first, *_],
                keywords=keywords,
            ) if level in LEVELS:
                names = {keyword.arg for keyword in keywords}
                facts = None if None in names else {name for name in names if name}
                yield from ((message_id, facts) for message_id in literals(first))


def literals(node: ast.expr) -> list[str]:
    """Return the ids that an argument may be: a literal, or one of two by a condition."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=one, orelse=other):
            return literals(one) + literals(other)
        case _:
            return []


def said_by_the_code() -> list[tuple[str, str, set[str] | None]]:
    return [
        (path.name, message_id, facts)
        for path in sorted(ROOT.glob("packages/*/src/**/*.py"))
        for message_id, facts in said_in(ast.parse(path.read_text(encoding="utf-8")))
    ]


def test_both_languages_have_the_same_ids():
    assert texts("en").keys() == texts("zh").keys()


@each_row("message_id", sorted(texts("en")))
def test_both_languages_have_the_same_placeholders(message_id):
    assert placeholders(texts("en")[message_id]) == placeholders(texts("zh")[message_id])


@each_row("message_id", sorted(texts("zh")))
def test_chinese_texts_are_chinese(message_id):
    assert any("\u4e00" <= letter <= "\u9fff" for letter in texts("zh")[message_id])


def test_a_call_is_found_with_its_id_and_facts():
    text = "bus.error('a.b', x=1, y=2)\nbus.info('c' if z else 'd', **facts)\nother.info('x')"
    assert list(said_in(ast.parse(text))) == [("a.b", {"x", "y"}), ("c", None), ("d", None)]


def test_every_message_that_the_code_says_is_in_the_catalogue():
    missing = [(file, said) for file, said, _ in said_by_the_code() if said not in texts("en")]
    assert missing == []


def test_every_message_that_the_code_says_brings_the_facts_of_its_text():
    lacking = [
        (file, said, needed - facts)
        for file, said, facts in said_by_the_code()
        if facts is not None and (needed := placeholders(texts("en").get(said, ""))) - facts
    ]
    assert lacking == []


def test_a_text_is_filled_with_its_facts():
    text = sentence("queue.growing", {"topic": "a", "queued": 9, "limit": 8}, "en")
    assert text == "A subscriber of a cannot keep up: 9 messages wait, over its limit of 8."


def test_an_exception_is_shown_with_its_type():
    text = sentence("engine.teardown_error", {"resource": "db", "error": OSError("gone")}, "en")
    assert text == "Closing the resource db failed: OSError: gone."


def test_an_unknown_id_is_shown_with_its_facts():
    assert (
        sentence("no.such", {"a": 1, "b": ValueError("x")}, "zh") == "no.such a=1 b=ValueError: x"
    )


def test_a_missing_fact_shows_the_id_and_the_others():
    text = sentence("localbus.callback_error", {"topic": "a/b"}, "en")
    assert text == "localbus.callback_error topic=a/b"


def test_a_fact_that_cannot_be_shown_is_named_by_its_type():
    class Broken:
        def __str__(self):
            raise ValueError

    text = sentence("engine.teardown_error", {"resource": Broken(), "error": "x"}, "en")
    assert text == "Closing the resource <Broken that cannot be shown> failed: x."


def test_a_number_with_a_broken_format_shows_the_id_and_the_facts():
    class Odd(int):
        def __format__(self, spec):
            raise ValueError

    facts = {"topic": "a", "queued": Odd(3), "limit": 2}
    assert sentence("queue.growing", facts, "en").startswith("queue.growing ")


def test_braces_in_a_fact_are_left_alone():
    text = sentence("engine.teardown_error", {"resource": "{error}", "error": "x"}, "en")
    assert text == "Closing the resource {error} failed: x."
