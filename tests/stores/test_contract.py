"""Our own stores keep the contract."""

from itertools import count

import pytest

from cascade.stores.large import values
from cascade.stores.memory import MemoryStore
from cascade.stores.postgres import PostgresStore
from cascade.stores.sqlite import SqliteStore
from cascade.testing.stores import StoreContract
from stores.postgres import NEEDS_POSTGRES, Postgres


class MemoryHarness:
    """One store that is all of its stores."""

    def __init__(self):
        self.clear()

    def store(self):
        return self._store

    def clear(self):
        self._store = MemoryStore()


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def harness(self):
        return MemoryHarness()


class SqliteHarness:
    """Stores on one file."""

    def __init__(self, folder):
        self._folder = folder
        self._files = count()
        self.clear()

    def store(self):
        return SqliteStore(self._path)

    def clear(self):
        self._path = self._folder / f"{next(self._files)}.db"


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def harness(self, tmp_path):
        return SqliteHarness(tmp_path)


class FilesHarness(SqliteHarness):
    """Stores on one file, all of whose values lie in files of their own."""

    def store(self):
        return SqliteStore(self._path, files=self._path.with_suffix(".files"))


class TestSqliteStoreWithFiles(StoreContract):
    @pytest.fixture
    def harness(self, tmp_path, monkeypatch):
        monkeypatch.setattr(values, "LARGE", -1)
        return FilesHarness(tmp_path)


class PostgresHarness:
    """Stores in one schema of a server that the tests share."""

    def __init__(self, server, schemas):
        self._server = server
        self._schemas = schemas
        self.clear()

    def store(self):
        return PostgresStore(self._server.url, schema=self._schema)

    def clear(self):
        self._schema = f"part {next(self._schemas)}"


class TestPostgresStore(StoreContract):
    pytestmark = NEEDS_POSTGRES

    @pytest.fixture(scope="class")
    @classmethod
    def parts(cls):
        """Return what makes a harness, each with a schema of the one server of these tests."""
        schemas = count()
        with Postgres() as server:
            yield lambda: PostgresHarness(server, schemas)

    @pytest.fixture
    def harness(self, parts):
        return parts()
