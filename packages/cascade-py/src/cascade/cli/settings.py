"""``[tool.cascade]`` in pyproject.toml: what the options of ``cascade run`` are where they are not given."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import typer

from cascade.interfaces.errors import near_name

__all__ = ["settings_from"]


def settings_from(folder: Path, known: Collection[str]) -> dict[str, Any]:
    """Return the settings of the nearest pyproject.toml, from a folder upwards; none where there is no table.

    Args:
        folder: where to begin.
        known: names that a setting may have; a dash stands for an underscore.

    Raises:
        BadParameter: the file cannot be read, or a setting is not known.
    """
    files = (each / "pyproject.toml" for each in (folder, *folder.parents))
    file = next(filter(Path.is_file, files), None)
    if file is None:
        return {}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("cascade", {})
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read: {error}") from None
    settings = {name.replace("-", "_"): value for name, value in table.items()}
    for name in settings:
        if name not in known:
            near = near_name(name, known)
            raise typer.BadParameter(f"[tool.cascade] in {file} has no setting {name!r}.{near}")
    return {name: _as_given(value) for name, value in settings.items()}


def _as_given(value: Any) -> Any:
    """Return a table, such as that of capacities, as the texts that the command line has for it."""
    return [f"{key}={item}" for key, item in value.items()] if isinstance(value, dict) else value
