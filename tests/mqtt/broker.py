"""A Mosquitto of a test's own: on loopback, on a free port, with its own settings, stopped by its handle."""

import getpass
import os
import shutil
import socket
import subprocess
import time

import pytest

__all__ = ["HOST", "NEEDS_BROKER", "Broker", "free_port", "program"]

HOST = "127.0.0.1"
_PATIENCE = 20  # seconds after which a broker that does not listen or end never will
_ALWAYS = ["log_dest none"]
_UNLIMITED = ["max_queued_messages 0"]  # none dropped, so that each missing one is ours


def program():
    """Return where Mosquitto is; None where it is not installed."""
    folders = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mosquitto", path=folders)


NEEDS_BROKER = [
    pytest.mark.broker,
    pytest.mark.skipif(
        program() is None,
        reason="Mosquitto is missing: on Debian, 'sudo apt-get install mosquitto' brings it",
    ),
]


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Broker:
    """One Mosquitto; it may be stopped and started again, and keeps its port."""

    def __init__(self, folder, *settings, anonymous=True, listener=(), limits="none"):
        self.folder = folder
        self.port = free_port()
        self._settings = [*_ALWAYS, *(_UNLIMITED if limits == "none" else ()), *settings]
        self._anonymous = anonymous
        self._listener = listener
        self._process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_error):
        self.stop()

    @property
    def url(self):
        return f"mqtt://{HOST}:{self.port}"

    def start(self):
        """Start it, and wait until it listens."""
        for _ in range(3):  # the port was free a moment ago; somebody may have taken it since
            self._launch()
            if self._listens():
                return
            self.port = free_port()
        raise RuntimeError(f"Mosquitto does not start with the settings in {self.folder}")

    def _launch(self):
        file = self.folder / "mosquitto.conf"
        lines = [
            f"user {getpass.getuser()}",
            *self._settings,
            f"listener {self.port} {HOST}",
            f"allow_anonymous {str(self._anonymous).lower()}",
            *self._listener,
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._process = subprocess.Popen(
            [program(), "-c", file],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _listens(self):
        end = time.monotonic() + _PATIENCE
        while self._process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection((HOST, self.port), 1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return True
        self.stop()
        return False

    def stop(self):
        """Stop it in good order."""
        process, self._process = self._process, None
        end = time.monotonic() + _PATIENCE
        while process is not None:
            process.terminate()  # again and again: one that comes while it starts is not heeded
            try:
                process.wait(1)
            except subprocess.TimeoutExpired:
                if time.monotonic() > end:
                    process.kill()
            else:
                return

    def kill(self):
        """End it as a power failure does."""
        self._process.kill()
        self._process.wait(_PATIENCE)
        self._process = None
