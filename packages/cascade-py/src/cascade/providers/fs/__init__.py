"""``cs.fs``: whether files are there, which, and copies of them; on this machine, or behind URLs."""

from cascade.providers.fs.tasks import copy, exists, glob, remove

__all__ = ["copy", "exists", "glob", "remove"]
