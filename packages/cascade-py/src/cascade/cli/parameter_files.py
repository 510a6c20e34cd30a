"""Files of parameters: YAML, JSON or TOML, by what their names end with."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer

__all__ = ["read_parameters"]


def _read_yaml(text: str) -> Any:
    try:
        import yaml  # noqa: PLC0415 - only such files need it
    except ModuleNotFoundError:
        raise typer.BadParameter(
            "parameters in YAML need PyYAML: pip install 'cascade-py[read]'"
        ) from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from None


_READERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {".json": json.loads, ".toml": tomllib.loads, ".yaml": _read_yaml, ".yml": _read_yaml}
)


def read_parameters(file: Path) -> dict[str, Any]:
    """Return the parameters in a file.

    Raises:
        BadParameter: it cannot be read, its name ends with something else, or it holds no names and values.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise typer.BadParameter(f"{file} is none of {', '.join(_READERS)}")
    try:
        found = reader(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"the parameters in {file} cannot be read: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise typer.BadParameter(f"{file} holds no names with values, but {type(found).__name__}")
    return found
