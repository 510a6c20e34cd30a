"""A PostgreSQL of the benchmarks' own: a data folder and a Unix socket for the time that it is needed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["programs", "server"]

_PATIENCE = 60.0  # seconds until a server that does not start or end is an error
_NOBODY = "postgres"  # the server refuses to run as root; Debian makes this user for it


def programs() -> Path | None:
    """Return the folder with the server's programs; None where it is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return next((each for each in reversed(folders) if (each / "initdb").exists()), None)


@contextlib.contextmanager
def server() -> Iterator[str]:
    """Run a server as it is installed, fsync and all; give its address once it listens."""
    binaries = programs()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # short, since a socket's path has to be
    as_user: list[str] = []
    if os.geteuid() == 0:
        as_user = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        shutil.chown(folder, _NOBODY)
    initdb = [*as_user, binaries / "initdb", "-D", folder / "data", "--auth=trust"]
    subprocess.run(initdb, check=True, capture_output=True, cwd=folder)
    options = ["-k", folder, "-c", "listen_addresses="]
    process = subprocess.Popen(
        [*as_user, binaries / "postgres", "-D", folder / "data", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _await_listening([binaries / "pg_isready", "-q", "-h", folder])
        user = _NOBODY if as_user else os.environ.get("USER", "")
        yield f"host={folder} dbname=postgres user={user}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE)
        shutil.rmtree(folder)


def _await_listening(ready: list[str | Path]) -> None:
    end = time.monotonic() + _PATIENCE
    while subprocess.run(ready, check=False).returncode:
        if time.monotonic() > end:
            raise RuntimeError("PostgreSQL does not start")
        time.sleep(0.02)
