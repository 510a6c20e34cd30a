"""What belongs to one distribution: modules that are imported from one folder.

Of installed libraries, whose folder all share, those of one top-level package do.
"""

from __future__ import annotations

import sys
import sysconfig
from functools import lru_cache
from pathlib import Path
from types import ModuleType

__all__ = ["home_of"]

_SHARED = ("site-packages", "dist-packages")
_STANDARD = Path(sysconfig.get_path("stdlib"))


def home_of(name: str | None) -> str:
    """Return where a module, by its name, is at home; one without a file is its own home."""
    module = sys.modules.get(name or "")
    if module is None:
        return f"<{name}>"
    return _home(module.__name__, _name_of(module), getattr(module, "__file__", None))


def _name_of(module: ModuleType) -> str:
    """Return the name to import it by; of a script its stem."""
    if module.__name__ != "__main__":
        return module.__name__
    spec = module.__spec__
    return "__main__" if spec is None else spec.name


@lru_cache(maxsize=4096)
def _home(name: str, imported_as: str, file: str | None) -> str:
    if file is None:
        return f"<{name}>"
    path = Path(file).absolute()
    depth = imported_as.count(".") + (path.stem == "__init__")
    folder = path.parents[min(depth, len(path.parents) - 1)]
    if folder.name in _SHARED or folder == _STANDARD:
        return str(folder / imported_as.partition(".")[0])
    return str(folder)
