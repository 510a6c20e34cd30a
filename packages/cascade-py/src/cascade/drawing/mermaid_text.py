"""A picture as a Mermaid flowchart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cascade.drawing.nesting import nested
from cascade.drawing.picture import Arrow, Box, Kind, picture_of

__all__ = ["mermaid"]

_SHAPES: Mapping[Kind, tuple[str, str]] = MappingProxyType(
    {
        "task": ("[", "]"),
        "mapping": ("[[", "]]"),
        "choice": ("{{", "}}"),
        "combinator": ("([", "])"),
        "collection": ("(", ")"),
        "builtin": ("(", ")"),
        "recv": (">", "]"),
        "send": ("[/", "/]"),
        "resource": ("[(", ")]"),
        "value": ("(", ")"),
    }
)
_ARROWS = MappingProxyType({"value": "-->", "branch": "-.->", "resource": "-.-"})

# Everything that could mean something to Mermaid, to HTML or to Markdown is written by its number.
_ESCAPED = re.compile(r"[^\w .,()\[\]/=+'!?…×-]")


def mermaid(target: Any) -> str:
    """Return the picture of a call, a task, or a list of these as a Mermaid flowchart.

    Arrows lead from a value to the call that needs it; dashed ones from a branch that may never run.

    Raises:
        CyclicGraphError: a call needs itself.
        InvalidTaskError: the target is nothing that can be run.

    Examples:
        >>> import cascade as cs
        >>> from cascade.drawing import mermaid
        >>> @cs.task
        ... def load(name: str) -> int:
        ...     return len(name)
        >>> @cs.task
        ... def total(*numbers: int) -> int:
        ...     return sum(numbers)
        >>> print(mermaid(total(load("a"), load.with_retry(3)("b"))))
        flowchart TD
            n0["total"]
            n1["load('a')"]
            n2["load('b')<br/>retry#58; 3 attempts"]
            n1 --> n0
            n2 --> n0
    """
    picture = picture_of(target)
    lines = ["flowchart TD"]
    for depth, each in nested(picture):
        lines.append("    " * (depth + 1) + (_box(each) if isinstance(each, Box) else _edge(each)))
    return "\n".join([*lines, *(f"    {_arrow(each)}" for each in picture.arrows)])


def _box(box: Box) -> str:
    before, after = _SHAPES[box.kind]
    label = "<br/>".join(map(_escaped, box.lines))
    return f'{box.name}{before}"{label}"{after}'


def _edge(group: str | None) -> str:
    return "end" if group is None else f'subgraph around_{group}[" "]'


def _arrow(arrow: Arrow) -> str:
    label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
    return f"{arrow.source} {_ARROWS[arrow.kind]}{label} {arrow.sink}"


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"#{ord(found[0])};", text)
