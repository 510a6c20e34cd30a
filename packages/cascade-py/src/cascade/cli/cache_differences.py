"""What differs between a call as it is now and what a cache remembers of its task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cascade.interfaces.cache import CacheEntry
from cascade.runtime.evaluation.cache_keys import VERSION_PART

__all__ = ["Differences", "Now", "differences", "differences_of_entries", "sentences"]

_OF_POLICY = ("depends[", "with_")


@dataclass(frozen=True, slots=True)
class Now:
    """What is known of a call as it is now."""

    version: str | None
    code: Mapping[str, str]
    arguments: Mapping[str, str] | None
    """Digests by name; None where they are not known."""

    has_policy: bool
    """Whether it says itself how it is cached."""


@dataclass(frozen=True, slots=True)
class Differences:
    """Names of the parts that are not the same."""

    version: tuple[str | None, str | None] | None = None
    """The one before and the one after."""

    code: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)
    is_code_known: bool = True

    @property
    def are_none(self) -> bool:
        """Whether nothing differs that can be compared."""
        return not (self.version or self.code or self.arguments or self.resources)


def differences(now: Now, entry: CacheEntry) -> Differences:
    """Return what differs from an entry; of resources only a run knows."""
    before, after = dict(entry.code), dict(now.code)
    if not now.has_policy:
        before = {name: part for name, part in before.items() if not name.startswith(_OF_POLICY)}
    is_code_known = now.has_policy or VERSION_PART not in entry.code
    return Differences(
        version=None if now.version == entry.version else (entry.version, now.version),
        code=_unlike(before, after) if is_code_known else [],
        arguments=[] if now.arguments is None else _unlike(entry.arguments, now.arguments),
        is_code_known=is_code_known,
    )


def differences_of_entries(before: CacheEntry, after: CacheEntry) -> Differences:
    """Return what differs between two entries of a task."""
    return Differences(
        version=None if before.version == after.version else (before.version, after.version),
        code=_unlike(before.code, after.code),
        arguments=_unlike(before.arguments, after.arguments),
        resources=_unlike(before.resources, after.resources),
    )


def sentences(found: Differences) -> list[str]:
    """Return what differs, a line each."""
    lines = []
    if found.version is not None:
        before, after = (each or "none" for each in found.version)
        lines.append(f"its version: {before} before, {after} now")
    lines += [f"its code: {name}" for name in found.code]
    lines += [f"its argument {name}" for name in found.arguments]
    lines += [f"its resource {name}" for name in found.resources]
    if not found.is_code_known:
        lines.append("perhaps its code, which with_cache(version=…) stands for: not compared")
    return lines


def _unlike(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    names: Sequence[str] = sorted({*before, *after})
    return [
        f"{name} ({'new' if name not in before else 'gone' if name not in after else 'changed'})"
        for name in names
        if before.get(name) != after.get(name)
    ]
