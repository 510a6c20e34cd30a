"""``cs.read.yaml``: YAML as plain data."""

from __future__ import annotations

from typing import Any

import yaml as library

from cascade.providers.places import Place, reading
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["yaml"]


@task(name="read.yaml")
def yaml(place: Place) -> Any:
    """Read YAML as plain data; tags that would make other objects are refused.

    Args:
        place: a path, a URL such as ``s3://bucket/key`` (with the extra ``fs``), or ``-``: standard input.

    Raises:
        OSError: it is not there, or cannot be read.
        ValueError: it is no such YAML.

    Examples:
        >>> import cascade as cs
        >>> cs.read.yaml("settings.yaml")
        read.yaml('settings.yaml')
    """
    with reading(place) as file:
        try:
            return library.safe_load(file.read())
        except library.YAMLError as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"{place} is no YAML of plain data: {reason}") from error


YamlProvider = provider_of("read.yaml", yaml)
