"""A call in a notebook shows its picture: drawn where Graphviz is installed, else as Mermaid's text."""

from __future__ import annotations

from html import escape
from typing import Any

from cascade.common.messaging.secrets import masked
from cascade.interfaces.errors import DrawingError
from cascade.spec.lazy_types import LazyResult

__all__ = ["show_calls"]

_PATIENCE = 10.0  # seconds for a picture that nobody asked for


def show_calls() -> None:
    """Have calls show their pictures in notebooks from now on."""
    LazyResult._repr_html_ = _as_html  # type: ignore[attr-defined]  # notebooks look for it


def _as_html(call: LazyResult[Any]) -> str:
    """Return a picture; of a call that cannot be drawn, what is wrong with it."""
    from cascade.drawing import mermaid, svg  # noqa: PLC0415 - few programs draw

    try:
        drawn = svg(call, timeout=_PATIENCE)
    except DrawingError:
        return f"<pre>{escape(mermaid(call))}</pre>"
    except Exception as error:  # noqa: BLE001 - the edge: what a call holds is the user's own
        return f"<pre>{escape(masked(f'{type(error).__name__}: {error}'))}</pre>"
    return drawn[drawn.index("<svg") :]
