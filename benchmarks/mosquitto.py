"""A Mosquitto of the benchmarks' own, on loopback and a free port."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["HOST", "PATIENCE", "broker", "program"]

HOST = "127.0.0.1"
PATIENCE = 20.0
"""Seconds until a lost message, or a broker that does not listen, is an error."""


def program() -> str | None:
    """Return where Mosquitto is; None where it is not installed."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mosquitto", path=folders)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def broker() -> Iterator[int]:
    """Run a broker that lets everybody do everything; give its port once it listens."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "mosquitto.conf"
        settings.write_text(
            f"listener {port} {HOST}\nallow_anonymous true\npersistence false\nlog_dest none\n"
            "max_queued_messages 0\n",
            encoding="utf-8",
        )
        process = subprocess.Popen([program() or "mosquitto", "-c", str(settings)])
        try:
            _await_listening(port)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _await_listening(port: int) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return
