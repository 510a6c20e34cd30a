"""``cs.write.yaml``: plain data as YAML."""

from __future__ import annotations

from typing import Any

import yaml as library

from cascade.providers.places import Place, writing
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["yaml"]


@task(name="write.yaml")
def yaml(place: Place, value: Any) -> str:
    """Write plain data as YAML, in its own order, and return the place; see ``cs.write.bytes``.

    Raises:
        OSError: it cannot be written.
        TypeError: it is no plain data.

    Examples:
        >>> import cascade as cs
        >>> cs.write.yaml("settings.yaml", {"n": 1})
        write.yaml('settings.yaml', {'n': 1})
    """
    try:
        found = library.safe_dump(value, allow_unicode=True, sort_keys=False)
    except library.YAMLError as error:
        raise TypeError(f"YAML of plain data has no form for it: {error}") from error
    with writing(place) as file:
        file.write(found.encode())
    return str(place)


YamlProvider = provider_of("write.yaml", yaml)
