"""``cs.sql``: statements to SQLite and PostgreSQL, values bound, connections kept by the engine."""

import pytest
from sqlalchemy.exc import DBAPIError

import cascade as cs
from cascade.providers.sql import Databases
from stores.postgres import NEEDS_POSTGRES, Postgres


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=[*NEEDS_POSTGRES, pytest.mark.slow])]
)
def url(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'shop.db'}"
    else:
        with Postgres() as server:
            yield f"postgresql://postgres@/postgres?host={server.folder}"


async def test_statements_write_and_rows_are_read(url):
    async with cs.Engine() as engine:
        await engine.run(cs.sql("create table lamp (id integer, colour text)", url=url))
        insert = "insert into lamp values (:id, :colour)"
        lamps = [{"id": 1, "colour": "red"}, {"id": 2, "colour": "it's; drop table lamp"}]
        assert await engine.run(cs.sql(insert, lamps, url=url)) == []
        one = cs.sql("select * from lamp where id = :id", {"id": 2}, url=url)
        assert await engine.run(one) == lamps[1:]
        returned = cs.sql("delete from lamp where id = :id returning colour", {"id": 1}, url=url)
        assert await engine.run(returned) == [{"colour": "red"}]
    left = await cs.run_async(cs.sql("select count(*) as n from lamp", url=url))
    assert left == [{"n": 1}]


async def test_a_statement_that_fails_changes_nothing_and_hides_its_values(url):
    await cs.run_async(cs.sql("create table lamp (id integer primary key)", url=url))
    insert = cs.sql("insert into lamp values (:id)", [{"id": 77123}, {"id": 77123}], url=url)
    with pytest.raises(DBAPIError) as error:
        await cs.run_async(insert)
    assert "[parameters" not in str(error.value) or "hidden" in str(error.value)
    assert await cs.run_async(cs.sql("select * from lamp", url=url)) == []


async def test_an_engine_connects_once_and_closes_at_its_end(monkeypatch, tmp_path):
    opened, closed = [], []
    close, at = Databases.close, Databases.at

    async def closing(self):
        closed.append(self)
        await close(self)

    def found(self, url):
        opened.append(at(self, url))
        return opened[-1]

    monkeypatch.setattr(Databases, "close", closing)
    monkeypatch.setattr(Databases, "at", found)
    url = f"sqlite:///{tmp_path / 'a.db'}"
    async with cs.Engine() as engine:
        for _ in range(3):
            await engine.run(cs.sql("select 1 as n", url=url))
        assert len(opened) == 3
        assert len(set(map(id, opened))) == 1
        assert closed == []
    assert len(closed) == 1


async def test_what_is_no_url_is_refused_without_being_shown():
    with pytest.raises(ValueError, match="named by a URL") as error:
        await cs.run_async(cs.sql("select 1", url="host:secret"))
    assert "secret" not in str(error.value)


def test_the_library_that_is_missing_is_named():
    # As `cs.sql` is loaded when it is first used, it is loaded anew here.
    import subprocess
    import sys

    program = (
        "import sys; sys.modules['sqlalchemy'] = None\nimport cascade as cs\n"
        "try: cs.sql\nexcept cs.CascadeError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert "pip install 'cascade-py[sql]'" in done.stdout
