"""Group commit: all work of a group in one transaction, and none fails because of another."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from cascade.interfaces.errors import StoreError
from cascade.stores.outcomes import Outcome
from cascade.stores.sqlite.checkpoints import Commit, commit_plain_steps
from cascade.stores.sqlite.schema import Synchronous, connect_to_write, explained
from cascade.stores.sqlite.traffic import Traffic
from cascade.stores.sqlite.transaction import Transaction
from cascade.stores.sqlite.work_thread import Work
from cascade.stores.wild_filters import WildFilters

__all__ = ["Writer"]


class Writer:
    """The one connection of a store that writes.

    Work says by a `StoreError` that it refuses, before it has changed anything; then the rest of its
    group goes on. Whatever else it raises undoes the group, and each part is done again on its own.
    """

    def __init__(
        self, path: Path, synchronous: Synchronous, busy_timeout: float, traffic: Traffic
    ) -> None:
        """Open the file.

        Raises:
            StoreError: it cannot be opened, or is no store of this version.
        """
        self._path = path
        self._wild = WildFilters()
        self._traffic = traffic
        try:
            self._connection = connect_to_write(path, synchronous, busy_timeout)
        except sqlite3.Error as error:
            raise explained(error, path) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def do(self, group: Sequence[Work[Transaction]]) -> list[Outcome]:
        """Do all of a group, and commit it."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            return [explained(error, self._path) for _ in group]
        try:
            return self._commit(group)
        except Exception as error:  # noqa: BLE001 - whoever gave the work is told
            self._undo()
            if len(group) > 1:
                return [self.do([work])[0] for work in group]
            return [explained(error, self._path) if isinstance(error, sqlite3.Error) else error]

    def _commit(self, group: Sequence[Work[Transaction]]) -> list[Outcome]:
        transaction = Transaction(self._connection, self._wild)
        outcomes: list[Outcome] = []
        for plain, run in groupby(group, _is_plain_step):
            do = self._do_steps if plain else self._do_each
            outcomes += do(transaction, [*run])
        last = transaction.mailboxes.finish()
        self._connection.execute("COMMIT")
        if last >= 0:
            self._traffic.wrote(transaction.mailboxes.first, last)
        return outcomes

    def _do_steps(
        self, transaction: Transaction, run: Sequence[Work[Transaction]]
    ) -> Sequence[Outcome]:
        checkpoints = [work.checkpoint for work in run if isinstance(work, Commit)]
        reached = commit_plain_steps(transaction, checkpoints)
        return self._do_each(transaction, run) if reached is None else reached

    @staticmethod
    def _do_each(transaction: Transaction, run: Sequence[Work[Transaction]]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for work in run:
            try:
                outcomes.append(work(transaction))
            except StoreError as refusal:
                outcomes.append(refusal)
        return outcomes

    def _undo(self) -> None:
        self._wild.forget()
        if self._connection.in_transaction:  # some errors have undone it already
            self._connection.execute("ROLLBACK")


def _is_plain_step(work: Work[Transaction]) -> bool:
    return isinstance(work, Commit) and work.checkpoint.is_plain_step
