"""A picture in the language of Graphviz, and drawn by it as SVG."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from cascade.drawing.nesting import nested
from cascade.drawing.picture import Arrow, Box, Kind, picture_of
from cascade.interfaces.errors import DrawingError

__all__ = ["dot", "svg"]

_SHAPES: Mapping[Kind, str] = MappingProxyType(
    {
        "task": 'shape=box fillcolor="#e3edf9"',
        "mapping": 'shape=box3d fillcolor="#e3edf9"',
        "choice": 'shape=hexagon fillcolor="#fdf1cf"',
        "combinator": 'shape=box style="rounded,filled" fillcolor="#eadcf5"',
        "collection": 'shape=box style="rounded,filled" fillcolor="#eeeeee"',
        "builtin": 'shape=box style="rounded,filled" fillcolor="#eeeeee"',
        "recv": 'shape=larrow fillcolor="#d8f0dc"',
        "send": 'shape=rarrow fillcolor="#d8f0dc"',
        "resource": 'shape=cylinder fillcolor="#f9e0d9"',
        "value": 'shape=box style="rounded,filled" fillcolor="#ffffff"',
    }
)
_ARROWS = MappingProxyType(
    {"value": "", "branch": "style=dashed", "resource": "style=dotted arrowhead=none"}
)
# On a light page as on a dark one: dark text on light boxes, and lines of a middle grey between.
_HEAD = """\
digraph {
    bgcolor=transparent;
    node [style=filled color="#7a7a7a" fontcolor="#1a1a1a" fontname="Helvetica,Arial,sans-serif" fontsize=11];
    edge [color="#7a7a7a" fontcolor="#7a7a7a" fontname="Helvetica,Arial,sans-serif" fontsize=9];"""


def dot(target: Any) -> str:
    """Return the picture of a call, a task, or a list of these in the DOT language of Graphviz.

    Raises:
        CyclicGraphError: a call needs itself.
        InvalidTaskError: the target is nothing that can be run.

    Examples:
        >>> import cascade as cs
        >>> from cascade.drawing import dot
        >>> @cs.task
        ... def load(name: str) -> int:
        ...     return len(name)
        >>> print(dot(load("a")).splitlines()[-2].strip())
        n0 [label="load('a')" shape=box fillcolor="#e3edf9"];
    """
    picture = picture_of(target)
    lines = [_HEAD]
    for depth, each in nested(picture):
        indent = "    " * (depth + 1)
        if isinstance(each, Box):
            lines.append(f"{indent}{_box(each)}")
        elif each is None:
            lines.append(f"{indent}}}")
        else:
            lines.append(f"{indent}subgraph cluster_{each} {{")
            lines.append(f'{indent}    style="rounded,dashed" color="#a080c0";')
    return "\n".join([*lines, *(f"    {_arrow(each)}" for each in picture.arrows), "}"])


def svg(target: Any, *, timeout: float | None = None) -> str:
    """Return the picture as SVG, which Graphviz draws.

    Args:
        target: a call, a task, or a list of these.
        timeout: seconds that Graphviz may take; None is as long as it likes.

    Raises:
        CyclicGraphError: a call needs itself.
        DrawingError: Graphviz is not installed, fails, or takes too long.
        InvalidTaskError: the target is nothing that can be run.

    Examples:
        >>> import cascade as cs
        >>> from shutil import which
        >>> @cs.task
        ... def double(x: int) -> int:
        ...     return 2 * x
        >>> picture = svg(double(21)) if which("dot") else "<svg>"
        >>> "<svg" in picture
        True
    """
    text = dot(target)
    try:
        done = subprocess.run(
            ["dot", "-Tsvg"],  # noqa: S607 - wherever it is installed
            input=text.encode(),
            capture_output=True,
            timeout=timeout,
            check=True,
        )
    except FileNotFoundError:
        raise DrawingError(
            "SVG is drawn by Graphviz, whose program 'dot' is not installed; install the package "
            "'graphviz' of your system (apt, dnf or brew install graphviz), or draw as mermaid, which "
            "needs nothing"
        ) from None
    except subprocess.TimeoutExpired:
        raise DrawingError(f"Graphviz took more than {timeout:g} s; draw as mermaid") from None
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", b"") or str(error).encode()
        raise DrawingError(
            f"Graphviz does not draw it: {reason.decode(errors='replace').strip()}"
        ) from error
    return done.stdout.decode()


def _box(box: Box) -> str:
    label = "\\n".join(map(_escaped, box.lines))
    return f'{box.name} [label="{label}" {_SHAPES[box.kind]}];'


def _arrow(arrow: Arrow) -> str:
    label = f'label="{_escaped(arrow.label)}"' if arrow.label else ""
    look = " ".join(filter(None, (label, _ARROWS[arrow.kind])))
    return f"{arrow.source} -> {arrow.sink}{f' [{look}]' if look else ''};"


def _escaped(text: str) -> str:
    """Return a text for a label: no sign of it ends the label, and none is an escape or an entity."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
