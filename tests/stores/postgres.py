"""A PostgreSQL of a test's own: its own data folder and Unix socket, no network, stopped by its handle."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

__all__ = ["NEEDS_POSTGRES", "Postgres", "programs"]

_PATIENCE = 60  # seconds after which a server that does not start or end never will
_NOBODY = "postgres"  # the server refuses to run as root; Debian makes this user for it
_QUICK = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "deadlock_timeout=100ms"]


def programs():
    """Return the folder with the server's programs, 15 or later; None where it is not installed."""
    if os.name != "posix":
        return None
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path())]
    for folder in sorted(folders, key=_version, reverse=True):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _version(folder):
    found = re.search(r"/(\d+)/bin$", str(folder))
    return int(found[1]) if found else 0


NEEDS_POSTGRES = [
    pytest.mark.skipif(
        programs() is None,
        reason="PostgreSQL is missing: on Debian, 'sudo apt-get install postgresql' brings it",
    ),
]


class Postgres:
    """One server; it may be stopped and started again, and keeps its data."""

    def __init__(self, *settings):
        self._settings = settings or _QUICK
        self._process = None

    def __enter__(self):
        # Short, since the path of a socket may have a hundred bytes; open to the user it runs as.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._as_user = []
        if os.geteuid() == 0:
            self._as_user = [
                "setpriv",
                f"--reuid={_NOBODY}",
                f"--regid={_NOBODY}",
                "--clear-groups",
            ]
            shutil.chown(self.folder, _NOBODY)
        self._do("initdb", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8")
        self.start()
        return self

    def __exit__(self, *_error):
        self.stop()
        shutil.rmtree(self.folder)

    @property
    def url(self):
        user = _NOBODY if self._as_user else os.environ.get("USER", "")
        return f"host={self.folder} dbname=postgres user={user}"

    def _do(self, program, *arguments):
        command = [*self._as_user, programs() / program, "-D", self.folder / "data", *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=self.folder, timeout=_PATIENCE)

    def start(self):
        """Start it, and wait until it listens."""
        command = [programs() / "postgres", "-D", self.folder / "data", "-k", self.folder]
        options = ["-c", "listen_addresses=", *self._settings]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*self._as_user, *command, *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=self.folder,
            )
        end = time.monotonic() + _PATIENCE
        ready = [programs() / "pg_isready", "-q", "-h", self.folder]
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.02)

    def stop(self):
        """Stop it in good order, whoever is connected."""
        if self._process is not None:
            self._process.send_signal(2)  # SIGINT: fast shutdown
            self._process.wait(_PATIENCE)
            self._process = None

    def kill(self):
        """End it at once, with its connections; it recovers when it starts again."""
        self._process.send_signal(3)  # SIGQUIT: immediate shutdown
        self._process.wait(_PATIENCE)
        self._process = None
