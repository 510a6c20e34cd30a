"""What a type checker has to report: each wrong line says how. Checked, never run."""

from collections.abc import Iterator

import cascade as cs
from cascade.spec import GlobalConstraint, resource, route, task


@task
def load(path: str) -> list[int]:
    return [len(path)]


@task
async def fetch(url: str, *, retries: int = 0) -> str:
    return url * retries


@task
def total(numbers: list[int], scale: float = 1.0) -> float:
    return sum(numbers) * scale


# --- composition --------------------------------------------------------------------------------

load(1)  # error: arg-type
load()  # error: call-arg
load("a", "b")  # error: call-arg
fetch("a", tries=2)  # error: call-arg
fetch("a", 2)  # error: call-arg
fetch("a", retries="2")  # error: arg-type
total(fetch("a"))  # error: arg-type
load(load("a"))  # error: arg-type
text: str = load("a")  # error: assignment


# --- tail calls ---------------------------------------------------------------------------------


@task
async def wrong_tail(n: int) -> str:
    return total([n])  # error: return-value


@task
def wrong_argument(n: int) -> str:
    return wrong_argument("one less")  # error: arg-type


@task
async def awaits_a_lazy(n: int) -> str:
    return await fetch("a")  # error: misc, no-any-return


# --- map, run_if, policies ----------------------------------------------------------------------

lengths: list[str] = load.map(["a"])  # error: assignment
numbers: list[int] = load.run_if(True)("a")  # error: assignment
load.run_if(True)(1)  # error: arg-type
load.run_if(True, or_else="none")(1)  # error: arg-type
load.with_window("10")  # error: arg-type
load.with_retry(3)(1)  # error: arg-type
load.with_timeout(1)()  # error: call-arg
load.with_cache()("a", "b")  # error: call-arg
load.with_retry("3")  # error: arg-type
load.with_timeout("1")  # error: arg-type
load.with_demands(gpu="one")  # error: arg-type
load.map(7)  # error: arg-type


# --- definitions --------------------------------------------------------------------------------


@task(mode="loop")  # error: call-overload, untyped-decorator
def lost() -> None:
    return None


@resource(scope="session")  # error: call-overload, untyped-decorator
def badly_scoped() -> Iterator[int]:
    yield 1


@resource  # error: arg-type
def no_generator() -> int:
    return 1


GlobalConstraint(id="x", type="stop")  # error: arg-type
GlobalConstraint(id="x", type="concurrency", n="3")  # error: arg-type
path: str = route("a", {"a": load("a")})  # error: assignment


# --- what cascade itself provides ----------------------------------------------------------------

cs.nonsense()  # error: attr-defined
cs.shell(3)  # error: arg-type
cs.shell("ls", on_line=int.bit_length)  # error: arg-type
cs.http.get(url="http://localhost", tiemout=3)  # error: call-arg
cs.http.options("http://localhost")  # error: attr-defined
cs.http.post("http://localhost", files=[b""])  # error: arg-type
cs.run(load("a"), conector=None)  # error: call-overload
load(cs.param("n", type=int))  # error: arg-type
load(cs.env("PORT", type=int))  # error: arg-type
cs.read.text(3)  # error: arg-type
cs.read.text("a", encodign="utf-8")  # error: call-arg
cs.write.csv("a", {"b": 1})  # error: arg-type
cs.sql("select 1")  # error: call-arg


# --- combinators and what stands inside a task -----------------------------------------------------

cs.retry(load("a"), "3")  # error: arg-type
cs.retry(load("a"), on="ValueError")  # error: arg-type
cs.timeout(load("a"))  # error: call-arg
cs.catch(load("a"), on="ValueError")  # error: arg-type
cs.settle(3)  # error: call-overload
caught: str = cs.catch(load("a"), OSError, "none")  # error: assignment
unknown = cs.current().nonsense  # error: attr-defined
