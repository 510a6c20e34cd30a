"""Where a file may lie: a network file system has no locks and no shared memory to trust."""

from __future__ import annotations

from pathlib import Path

from cascade.interfaces.errors import StoreError

__all__ = ["refuse_network_file_system"]

_MOUNTS = Path("/proc/self/mounts")
_NETWORKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "ncpfs", "lustre"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.davfs"}
)


def refuse_network_file_system(path: Path, mounts: Path = _MOUNTS) -> None:
    """Refuse a path on a network file system, where the system says what is mounted (Linux does).

    Raises:
        StoreError: the file would lie on one.
    """
    if not mounts.exists():
        return
    kind, point = _mount_of(path.resolve(), mounts.read_text(encoding="utf-8", errors="replace"))
    if kind in _NETWORKS:
        raise StoreError(
            f"{path} lies on a network file system ({kind}, mounted at {point}), where SQLite cannot lock "
            "a file safely; put it on a local disk, or use a PostgresStore for several machines"
        )


def _mount_of(path: Path, mounts: str) -> tuple[str, Path]:
    """Return the kind and the point of the mount that a path lies on; of two at one point the last."""
    found = ("", Path(path.anchor))
    for line in mounts.splitlines():
        _device, point, kind, *_ = line.split(" ")
        place = Path(_unescaped(point))
        if path.is_relative_to(place) and len(place.parts) >= len(found[1].parts):
            found = (kind, place)
    return found


def _unescaped(text: str) -> str:
    r"""Return a path of the table as it is: a space is written ``\040`` there."""
    first, *rest = text.split("\\")
    return first + "".join(chr(int(part[:3], 8)) + part[3:] for part in rest)
