"""The boxes of a picture in the order in which text has them: groups around what they enclose."""

from __future__ import annotations

from collections.abc import Iterator

from cascade.drawing.picture import Box, Picture

__all__ = ["nested"]


def nested(picture: Picture) -> Iterator[tuple[int, Box | str | None]]:
    """Yield boxes, where a group begins its name, and where it ends None; each with its depth."""
    boxes: dict[str, list[Box]] = {}
    for box in picture.boxes:
        boxes.setdefault(box.group, []).append(box)
    inner: dict[str, list[str]] = {}
    for group, around in picture.groups.items():
        inner.setdefault(around, []).append(group)
    for box in boxes.get("", ()):
        yield 0, box
    waiting: list[tuple[int, str | None]] = [(0, each) for each in reversed(inner.get("", []))]
    while waiting:  # a stack, since groups may lie in each other deeper than calls of Python may
        depth, begun = waiting.pop()
        yield depth, begun
        if begun is not None:
            for box in boxes[begun]:
                yield depth + 1, box
            waiting.append((depth, None))
            waiting += [(depth + 1, each) for each in reversed(inner.get(begun, []))]
