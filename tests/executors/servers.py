"""A scheduler and workers of a test's own, as programs on free ports of the loopback interface."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

__all__ = ["Servers"]

_SECONDS = 60  # that a program may take to start: far more than it does


class Servers:
    """One scheduler with its workers; all of them end with the block."""

    def __init__(self, folder: Path, workers: int = 1, options: tuple[str, ...] = ()) -> None:
        self._file = folder / "scheduler.json"
        self._workers = workers
        self._options = options
        self.scheduler: subprocess.Popen[bytes]
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0")
        end = time.monotonic() + _SECONDS
        while not self._file.exists() or not self._file.read_text():
            assert time.monotonic() < end, "the scheduler does not start"
            assert self.scheduler.poll() is None, "the scheduler has ended"
            time.sleep(0.02)
        for _ in range(self._workers):
            self._start("worker", "--nthreads", "1", "--no-nanny")
        return self

    @property
    def url(self) -> str:
        """The address for an engine: ``dask://127.0.0.1:…``, or with ``dask+tls://``."""
        address = json.loads(self._file.read_text())["address"]
        return address.replace("tcp://", "dask://").replace("tls://", "dask+tls://")

    def _start(self, program: str, *options: str) -> "subprocess.Popen[bytes]":
        module = f"distributed.cli.dask_{program}"
        common = ("--scheduler-file", self._file, "--no-dashboard")
        started = subprocess.Popen(
            [sys.executable, "-m", module, *common, *options, *self._options],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=self._file.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._all.append(started)
        return started

    def __exit__(self, *_: object) -> None:
        for each in self._all:
            each.kill()
        for each in self._all:
            each.wait()
