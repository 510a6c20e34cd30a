"""The tasks ``cs.fs.exists``, ``glob``, ``copy`` and ``remove``, and the providers that offer them."""

from __future__ import annotations

import shutil
from glob import glob as local_glob

from cascade.providers.places import Place, file_system, local_path, reading, writing
from cascade.providers.ready_made import provider_of
from cascade.spec.task import task

__all__ = ["copy", "exists", "glob", "remove"]


@task(name="fs.exists")
def exists(place: Place) -> bool:
    """Return whether a file or folder is there.

    Args:
        place: a path, or a URL such as ``s3://bucket/key`` (with the extra ``fs``).

    Raises:
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.fs.exists("/nowhere/at/all"))
        False
    """
    path = local_path(place)
    if path is not None:
        return path.exists()
    system, inside = file_system(str(place))
    return bool(system.exists(inside))


@task(name="fs.glob")
def glob(pattern: str) -> list[str]:
    """Return what fits a pattern, in alphabetical order; ``**`` stands for any folders.

    Raises:
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.fs.glob("/nowhere/*.csv"))
        []
    """
    path = local_path(pattern)
    if path is not None:
        return sorted(local_glob(str(path), recursive=True))  # noqa: PTH207 - as texts, as they were given
    system, inside = file_system(pattern)
    return sorted(system.unstrip_protocol(found) for found in system.glob(inside))


@task(name="fs.copy")
def copy(source: Place, target: Place) -> str:
    """Copy the bytes of a file, and return where they are now: all of them, or what was there before.

    Raises:
        OSError: one cannot be read, or the other cannot be written.
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.fs.copy("today.csv", "archive/monday.csv")
        fs.copy('today.csv', 'archive/monday.csv')
    """
    with reading(source) as from_there, writing(target) as to_there:
        shutil.copyfileobj(from_there, to_there)
    return str(target)


@task(name="fs.remove")
def remove(place: Place, *, missing_ok: bool = False) -> None:
    """Remove a file.

    Args:
        place: a path or a URL.
        missing_ok: whether it need not be there.

    Raises:
        FileNotFoundError: it is not there.
        OSError: it cannot be removed, such as a folder.
        BrokenProviderError: what a URL needs is not installed.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.fs.remove("/nowhere/at/all", missing_ok=True))
    """
    path = local_path(place)
    if path is not None:
        path.unlink(missing_ok=missing_ok)
        return
    system, inside = file_system(str(place))
    if system.exists(inside):
        system.rm_file(inside)
    elif not missing_ok:
        raise FileNotFoundError(f"there is no {place}")


ExistsProvider = provider_of("fs.exists", exists)
GlobProvider = provider_of("fs.glob", glob)
CopyProvider = provider_of("fs.copy", copy)
RemoveProvider = provider_of("fs.remove", remove)
