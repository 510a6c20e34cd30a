"""``cs.write.toml``: a table of plain data as TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w

from cascade.providers.places import Place, writing
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["toml"]


@task(name="write.toml")
def toml(place: Place, value: Mapping[str, Any]) -> str:
    """Write a table of plain data as TOML, and return the place; see ``cs.write.bytes``.

    Raises:
        OSError: it cannot be written.
        TypeError: it is no table, or TOML has no form for something in it, such as None.

    Examples:
        >>> import cascade as cs
        >>> cs.write.toml("settings.toml", {"n": 1})
        write.toml('settings.toml', {'n': 1})
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"TOML is a table of names and values, not {value!r:.60}")
    found = tomli_w.dumps(value)
    with writing(place) as file:
        file.write(found.encode())
    return str(place)


TomlProvider = provider_of("write.toml", toml)
