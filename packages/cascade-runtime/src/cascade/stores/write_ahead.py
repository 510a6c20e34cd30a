"""How an SQLite file that several processes may begin at once comes by its write-ahead log."""

from __future__ import annotations

import sqlite3
from time import monotonic, sleep

__all__ = ["use_write_ahead_log"]


def use_write_ahead_log(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Switch the file over; while others do the same SQLite does not wait, so this does."""
    end = monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or monotonic() > end:
                raise
        sleep(0.01)
