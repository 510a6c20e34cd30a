"""What a type checker has to accept: nothing here may be reported. Checked, never run."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

import cascade as cs
from cascade.providers.http import HttpResponse
from cascade.providers.shell import ShellResult
from cascade.spec import param, resource, route, task
from cascade.spec.resource import ResourceDefinition, inject


class Database:
    def names(self) -> list[str]:
        return []


# --- composition --------------------------------------------------------------------------------


@task
def load(path: str) -> list[int]:
    return [len(path)]


@task
async def fetch(url: str, *, retries: int = 0) -> str:
    return url * retries


@task
def total(numbers: list[int], scale: float = 1.0) -> float:
    return sum(numbers) * scale


assert_type(load("a"), list[int])
assert_type(fetch("a"), str)
assert_type(fetch("a", retries=2), str)
assert_type(total(load(fetch("a")), scale=2), float)
assert_type(total([len(fetch("a"))]), float)


@task(name="other", mode="process")
def heavy(count: int) -> bytes:
    return b"x" * count


@task(mode="async")
async def light() -> None:
    return None


assert_type(heavy(1), bytes)


# --- tail calls ---------------------------------------------------------------------------------


@task
async def count_down(n: int) -> str:
    return "done" if n == 0 else count_down(n - 1)


@task
def sync_count_down(n: int) -> str:
    if n == 0:
        return "done"
    return sync_count_down(n - 1)


@task
async def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


@task
def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


@task
async def agent(seen: int) -> None:
    return agent(seen + 1)


assert_type(count_down(3), str)
assert_type(sync_count_down(3), str)
assert_type(even(3), bool)
assert_type(odd(3), bool)


# --- map, run_if, policies ----------------------------------------------------------------------

assert_type(load.map(["a", "b"]), list[list[int]])
assert_type(total.map([load("a"), [1]], scale=2), list[float])
assert_type(fetch.map(["a"], retries=1), list[str])
assert_type(total(heavy.map([1, 2]).count(b"x") * [1]), float)

assert_type(load.run_if(True)("a"), list[int] | None)
assert_type(load.run_if(True, or_else="none")("a"), list[int] | str)
assert_type(load.with_window(10).map(["a"]), list[list[int]])
assert_type(fetch.run_if(fetch("a") == "b")("a", retries=1), str | None)

assert_type(fetch.with_retry(3, delay=0.1)("a", retries=2), str)
assert_type(fetch.with_timeout(1.5)("a", retries=2), str)
assert_type(load.with_cache(ttl=3)(path="a"), list[int])
assert_type(load.with_cache(key=lambda path: path)("a"), list[int])
assert_type(load.with_demands(gpu=1, memory=0.5)("a"), list[int])
assert_type(load.with_retry(on=(OSError,)).with_timeout(1).with_cache()("a"), list[int])
assert_type(load.with_retry().run_if(True).with_timeout(1)("a"), list[int] | None)


# --- resources ----------------------------------------------------------------------------------


@resource
def database() -> Iterator[Database]:
    yield Database()


@resource(name="cache", scope="task")
async def cache(db: Database = inject("database")) -> AsyncIterator[dict[str, str]]:
    yield dict.fromkeys(db.names(), "")


@task
async def names(prefix: str, db: Database = inject(database)) -> list[str]:
    return [prefix + name for name in db.names()]


@task
def known(name: str, entries: dict[str, str] = inject("cache")) -> bool:
    return name in entries


assert_type(database, ResourceDefinition[Database])
assert_type(cache, ResourceDefinition[dict[str, str]])
assert_type(names("a"), list[str])
assert_type(known(names("a")[0]), bool)


# --- route, param -------------------------------------------------------------------------------

assert_type(route(fetch("a"), {"a": load("a"), "b": load("b")}), list[int])
assert_type(total(load(param("path")), scale=param("scale", 1.0)), float)


# --- what cascade itself provides ----------------------------------------------------------------

assert_type(cs.shell(["ls"]), ShellResult)
assert_type(cs.shell(["ls"]).stdout, str)
assert_type(cs.shell("ls", max_output=10, on_line=print).dropped, int)
assert_type(cs.http.get("http://localhost", params={"a": 1}, timeout=3), HttpResponse)
assert_type(cs.http.post.with_retry(3)("http://localhost", json={}), HttpResponse)
assert_type(cs.http.patch("http://localhost", files={"a": ("name", b"")}), HttpResponse)
assert_type(cs.http.head("http://localhost", check=True, save_to="a").retry_after, float | None)
assert_type(cs.http.get("http://localhost").headers.get_list("vary"), list[str])
assert_type(cs.template("{{ a }}", a=1), str)
assert_type(cs.read.text("a"), str)
assert_type(cs.read.text(cs.File("a")), str)
assert_type(cs.read.bytes("s3://a/b"), bytes)
assert_type(cs.read.csv("-", delimiter=";"), list[dict[str, str]])
assert_type(cs.read.toml("a"), dict[str, Any])
assert_type(cs.write.json("a", cs.read.yaml("b"), indent=2), str)
assert_type(cs.write.csv("a", [{"b": 1}]), str)
assert_type(cs.write.parquet("a", cs.read.parquet("b", columns=["c"])), str)
assert_type(cs.fs.glob("*.csv"), list[str])
assert_type(cs.fs.exists(cs.fs.copy("a", "b")), bool)
assert_type(cs.sql("select :n", {"n": 1}, url="sqlite://"), list[dict[str, Any]])
assert_type(cs.param("n", type=int), int)
assert_type(cs.param("n", 3, type=int), int)
assert_type(cs.param("n", type=list[int]), list[int])
assert_type(cs.env("HOME"), str)
assert_type(cs.env("PORT", 80, type=int), int)
assert_type(cs.env("TOKEN", secret=True), str)
load(cs.param("path"))
assert_type(cs.quote([1, 2]), list[int])
assert_type(total.map(numbers=[[1]], scale=cs.fixed(2.0)), list[float])


# --- combinators --------------------------------------------------------------------------------

assert_type(cs.retry(load(fetch("a")), 3, on=(OSError, ValueError)), list[int])
assert_type(cs.retry(load(fetch("a")), when=lambda numbers: not numbers), list[int])
assert_type(cs.timeout(load(fetch("a")), 2.5), list[int])
assert_type(cs.catch(load(fetch("a")), OSError, "none"), list[int] | str)
assert_type(cs.after(load(fetch("a")), load("b"), cs.wait(1)), list[int])
assert_type(cs.settle([load(fetch("a")), load(fetch("b"))]), list[list[int] | Exception])
assert_type(cs.settle(load.map(["a"])), list[list[int] | Exception])
assert_type(
    cs.settle((load(fetch("a")), cs.wait(1), total([1]))),
    tuple[list[int] | Exception, Exception | None, float | Exception],
)
assert_type(cs.settle({"a": load(fetch("a"))}), dict[str, list[int] | Exception])


# --- inside a task ------------------------------------------------------------------------------


@task
async def asks() -> list[int]:
    assert_type(cs.current().call_id, str)
    assert_type(await cs.evaluate(total([1])), float)
    return await cs.evaluate(load(fetch("a")))


assert_type(cs.agent("monday"), str)
