"""What only reads, on a connection of its own: it waits for no writer, and sees what was committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from cascade.stores.outcomes import Outcome
from cascade.stores.sqlite.schema import connect_to_read, explained
from cascade.stores.sqlite.work_thread import Work

__all__ = ["Reader"]


class Reader:
    """The connection of a store that reads; each piece of work sees one state of the file."""

    def __init__(self, path: Path, busy_timeout: float) -> None:
        """Open the file.

        Raises:
            StoreError: it cannot be opened.
        """
        self._path = path
        try:
            self._connection = connect_to_read(path, busy_timeout)
        except sqlite3.Error as error:
            raise explained(error, path) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def do(self, group: Sequence[Work[sqlite3.Connection]]) -> list[Outcome]:
        """Do all of a group."""
        return [self._read(work) for work in group]

    def _read(self, work: Work[sqlite3.Connection]) -> Outcome:
        try:
            self._connection.execute("BEGIN")
            try:
                return work(self._connection)
            finally:
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            return explained(error, self._path)
        except Exception as error:  # noqa: BLE001 - whoever gave the work is told
            return error
