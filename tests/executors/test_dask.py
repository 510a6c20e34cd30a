"""Tasks on the workers of a Dask cluster: what runs there, what is refused, and what goes wrong."""

import asyncio
import importlib
import os
import pickle
import signal
import socket
import sys
import threading
import time
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import cloudpickle
import pytest
import trustme
from dask import config
from distributed import Client, LocalCluster
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import cascade as cs
from cascade.common.messaging.testing import capture
from cascade.executors.dask import DaskExecutor, Kept, fetch
from cascade.interfaces.errors import (
    DemandError,
    ExecutorError,
    ProcessTransferError,
    WorkerLostError,
)
from cascade.otel import instrument
from executors import remote_tasks as remote
from executors.servers import Servers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the tests send signals of POSIX"),
]

NUMBERS = count()
SECONDS = 60  # that anything may take: far more than it does


@pytest.fixture(scope="module")
def cluster():
    with (
        config.set({"distributed.scheduler.allowed-failures": 1}),
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", resources={"GPU": 1}
        ) as cluster,
    ):
        yield cluster


@pytest.fixture(scope="module")
def executor(cluster):
    executor = DaskExecutor(cluster, patience=5)
    yield executor
    asyncio.run(executor.aclose())


async def appears(path):
    async with asyncio.timeout(SECONDS):
        while not (path.exists() and path.read_text()):
            await asyncio.sleep(0.01)
    return path.read_text()


def test_functions_run_on_workers_and_those_of_other_modes_here(executor):
    async def here():
        return os.getpid()

    calls = [remote.square.map(range(20)), remote.later(7), remote.pid(), cs.task(here)()]
    squares, seven, pid, own = cs.run(calls, executor=executor)
    assert squares == [n * n for n in range(20)]
    assert (seven, own) == (7, os.getpid())
    assert pid != own
    assert cs.run(cs.task(os.getpid, mode="thread")(), executor=executor) == own
    process = cs.run(cs.task(os.getpid, mode="process")(), executor=executor)
    assert process not in {pid, own}


def test_a_function_knows_where_it_stands_and_fails_with_its_own_error(executor):
    here = cs.run(remote.where_i_stand(), executor=executor, name="one")
    assert (here.run_id, here.agent, here.cancelled) == ("one", "one", False)
    with pytest.raises(ValueError, match="no tea") as failed:
        cs.run(remote.fails("no tea"), executor=executor)
    assert any("'fails'" in note for note in failed.value.__notes__)
    assert "in fails" in str(failed.value.__cause__)


def test_a_function_of_no_module_goes_by_its_code(executor):
    factor = 3
    times = cs.task(lambda n: factor * n, mode="remote", name="times")
    assert cs.run(times(2), executor=executor) == 6
    with pytest.raises(ProcessTransferError, match="an argument of 'takes'"):
        cs.run(remote.takes(threading.Lock()), executor=executor)


def test_keys_begin_with_the_tasks_name(cluster, executor):
    cs.run(remote.square.map(range(3)), executor=executor)
    assert "square" in cluster.scheduler.task_prefixes


def test_demands_are_resources_of_workers_and_refused_where_none_has_them(cluster, executor):
    task = remote.square.with_demands(GPU=1)
    assert cs.run(task.map(range(4)), executor=executor) == [0, 1, 4, 9]
    impatient = DaskExecutor(cluster, patience=0.2)
    for demands in ({"GPU": 2}, {"TPU": 1}):
        with pytest.raises(DemandError, match=r"none of the \d workers had that; they have GPU=1"):
            cs.run(remote.square.with_demands(**demands)(1), executor=impatient)
    asyncio.run(impatient.aclose())


async def test_a_time_out_counts_from_the_start_and_the_function_is_told(executor, tmp_path):
    begun, told = tmp_path / "begun", tmp_path / "told"
    with pytest.raises(TimeoutError, match="until_told"):
        await cs.run_async(
            remote.until_told.with_timeout(0.2)(str(begun), str(told)), executor=executor
        )
    assert begun.exists()
    assert await appears(told) == "True"


async def test_a_cancelled_call_is_told_and_what_waits_is_not_begun(executor, tmp_path):
    async def run(name):
        call = remote.until_told(str(tmp_path / name), str(tmp_path / f"{name}-told"))
        await cs.run_async(call, executor=executor)

    running = [asyncio.create_task(run(f"{n}")) for n in range(2)]
    for n in range(2):
        await appears(tmp_path / f"{n}")
    waiting = asyncio.create_task(run("third"))
    await asyncio.sleep(0.05)
    for task in (waiting, *running):
        task.cancel()
    await asyncio.wait([waiting, *running])
    for n in range(2):
        assert await appears(tmp_path / f"{n}-told") == "True"
    assert await cs.run_async(remote.square(3), executor=executor) == 9
    assert not (tmp_path / "third").exists()


async def test_a_killed_worker_loses_nothing(executor, tmp_path):
    begun = tmp_path / "begun"
    calls = [remote.once_begun(str(begun), 1), *(remote.square(n) for n in range(50))]
    running = asyncio.create_task(cs.run_async(calls, executor=executor))
    os.kill(int(await appears(begun)), signal.SIGKILL)
    assert await running == [1, *(n * n for n in range(50))]


def test_a_function_that_ends_its_workers_is_a_lost_worker(executor):
    with pytest.raises(WorkerLostError, match="2 workers were lost while 'ends_its_worker'"):
        cs.run(remote.ends_its_worker(), executor=executor)
    assert cs.run(remote.square(3), executor=executor) == 9


def test_the_scheduler_of_a_client_is_taken(cluster):
    with Client(cluster, set_as_default=False) as client:
        executor = DaskExecutor(client)
        assert cs.run(remote.square(2), executor=executor) == 4
        asyncio.run(executor.aclose())
        assert client.submit(pow, 2, 3).result(SECONDS) == 8  # it is still open
    with pytest.raises(TypeError, match="has been closed"):
        DaskExecutor(client)


def test_what_is_closed_connects_again(cluster):
    executor = DaskExecutor(cluster)
    for _ in range(2):
        assert cs.run(remote.square(2), executor=executor) == 4
        asyncio.run(executor.aclose())


async def test_a_scheduler_that_goes_away_ends_what_is_under_way(tmp_path):
    begun = tmp_path / "begun"
    with Servers(tmp_path) as servers:
        engine = cs.Engine(executor=servers.url)
        running = asyncio.create_task(engine.run(remote.once_begun(str(begun), 1)))
        await appears(begun)
        servers.scheduler.kill()
        async with asyncio.timeout(SECONDS):
            with pytest.raises(ExecutorError, match="has gone away"):
                await running


async def test_a_scheduler_that_is_not_there_is_an_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        port = taken.getsockname()[1]
        url = f"dask://127.0.0.1:{port}?patience=0.3"
        with pytest.raises(ExecutorError, match=f"127.0.0.1:{port} cannot be reached"):
            await cs.run_async(remote.square(1), executor=url)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module that is here, and that no worker has."""
    name = f"only_here_{os.getpid()}_{next(NUMBERS)}"
    path = tmp_path / f"{name}.py"
    path.write_text("def three():\n    return 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module(name)
    del sys.modules[name]


def test_a_module_that_workers_lack_is_named_with_the_remedy(executor, module):
    task = cs.task(module.three, mode="remote")
    with pytest.raises(ProcessTransferError, match=f"has no module '{module.__name__}'.*upload="):
        cs.run(task(), executor=executor)
    cloudpickle.register_pickle_by_value(module)
    try:
        assert cs.run(task(), executor=executor) == 3
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def test_a_module_is_uploaded_and_one_that_differs_is_said(cluster, module):
    task = cs.task(module.three, mode="remote")
    executor = DaskExecutor(cluster, upload=[module.__file__])
    assert cs.run(task(), executor=executor) == 3
    asyncio.run(executor.aclose())
    with Path(module.__file__).open("a") as file:
        file.write("# changed\n")
    with capture() as messages:
        executor = DaskExecutor(cluster)
        assert cs.run(task(), executor=executor) == 3
        end = time.monotonic() + SECONDS
        while not messages and time.monotonic() < end:
            time.sleep(0.01)
        asyncio.run(executor.aclose())
    assert {each.id for each in messages} == {"dask.module_differs"}
    with pytest.raises(FileNotFoundError):
        DaskExecutor(cluster, upload=["nowhere.py"])


def test_calls_of_a_mapping_go_in_batches_and_fail_one_by_one(executor):
    in_batches = remote.square.with_placement(batch=20).with_window(60)
    assert cs.run(in_batches.map(range(200)), executor=executor) == [n * n for n in range(200)]
    odd = remote.refuses_odd.with_placement(batch=10)
    found = cs.run(cs.settle([odd(n) for n in range(10)]), executor=executor)
    assert [each if isinstance(each, int) else str(each) for each in found[:3]] == [0, "1", 2]
    keys = cs.run(remote.key.with_placement(batch=5).map(range(50)), executor=executor)
    assert 10 <= len(set(keys)) < 50


def test_a_task_runs_on_the_worker_that_it_names(cluster, executor):
    first, second = (
        cs.run(remote.name.with_placement(str(n))(), executor=executor) for n in (0, 1)
    )
    assert (first, second) == ("0", "1")
    on_host = remote.square.with_placement("nowhere", "127.0.0.1", priority=3)
    assert cs.run(on_host(3), executor=executor) == 9
    assert cs.run(remote.square.with_placement("GPU")(3), executor=executor) == 9
    impatient = DaskExecutor(cluster, patience=0.2)
    with pytest.raises(DemandError, match="is to run on nowhere, .*there are 0 on 127"):
        cs.run(remote.square.with_placement("nowhere")(1), executor=impatient)
    asyncio.run(impatient.aclose())


def test_what_is_logged_comes_home(executor, caplog):
    with caplog.at_level("DEBUG", "remote"):
        cs.run(remote.logs("this"), executor=executor)
    (record,) = [each for each in caplog.records if each.name == "remote"]
    assert (record.message, record.levelname, record.funcName) == ("heard this", "ERROR", "logs")
    assert record.worker.startswith("tcp://")
    assert "ValueError: invalid literal" in record.exc_text


async def test_a_function_runs_in_the_trace_of_its_task(executor):
    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    engine = cs.Engine(executor=executor)
    stop = instrument(engine, tracer_provider=provider)
    found = await engine.run(remote.trace_id())
    stop()
    assert {each.context.trace_id for each in spans.get_finished_spans()} == {found}
    assert await engine.run(remote.trace_id()) == 0


async def test_a_cluster_with_tls_takes_those_with_a_certificate_alone(tmp_path):
    authority = trustme.CA()
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "cert", "key")}
    mine = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(files["ca"])
    mine.cert_chain_pems[0].write_to_path(files["cert"])
    mine.private_key_pem.write_to_path(files["key"])
    options = ("--protocol", "tls", "--tls-ca-file", files["ca"])
    options += ("--tls-cert", files["cert"], "--tls-key", files["key"])
    with Servers(tmp_path, options=options) as servers:
        with_certificate = f"{servers.url}?{urlencode(files)}&patience=30"
        assert await cs.run_async(remote.square(3), executor=with_certificate) == 9
        without = f"{servers.url.replace('+tls', '')}?patience=1"
        with pytest.raises(ExecutorError, match="cannot be reached"):
            await cs.run_async(remote.square(3), executor=without)


def test_a_big_argument_is_sent_once_for_calls_that_have_the_same(executor, monkeypatch):
    sent = []
    scatter = Client.scatter
    monkeypatch.setattr(Client, "scatter", lambda *a, **k: sent.append(1) or scatter(*a, **k))
    data = bytearray(2_000_000)
    calls = remote.length_after.map(range(6), data=data)
    assert cs.run(calls, executor=executor) == [2_000_000] * 6
    assert cs.run(remote.length_after(1, data=data), executor=executor) == 2_000_000
    assert len(sent) == 1
    data.append(1)
    assert cs.run(remote.length_after(1, data), executor=executor) == 2_000_001
    assert len(sent) == 2


async def test_a_big_argument_that_is_lost_with_its_worker_is_sent_again(executor, tmp_path):
    begun = tmp_path / "begun"
    call = remote.slow_length(str(begun), bytes(2_000_000))
    running = asyncio.create_task(cs.run_async(call, executor=executor))
    os.kill(int(await appears(begun)), signal.SIGKILL)
    assert await running == 2_000_000


async def test_a_value_stays_on_its_worker_and_is_there_for_remote_calls(executor):
    kept = remote.square.with_placement(keep=True)
    async with cs.Engine(executor=executor) as engine:
        assert await engine.run(remote.total(kept.map([1, 2, 3]))) == 14
        (one, two) = await engine.run([kept(4), kept.with_timeout(60)(5)])
        assert isinstance(one, Kept)
        assert "square" in repr(one)
        assert (await fetch(one), await fetch(two), await fetch(6)) == (16, 25, 6)
        assert await engine.run(remote.total([one, two])) == 41
        with pytest.raises(TypeError, match="is kept on a cluster, and goes to its remote tasks"):
            pickle.dumps(one)
        with pytest.raises(ValueError, match="no tea"):
            await engine.run(remote.fails.with_placement(keep=True)("no tea"))


async def test_a_kept_value_of_an_ended_connection_is_an_error(cluster):
    executor = DaskExecutor(cluster)
    async with cs.Engine(executor=executor) as engine:
        value = await engine.run(remote.square.with_placement(keep=True)(4))
        await executor.aclose()
        with pytest.raises(ExecutorError, match="is not there any more"):
            await fetch(value)
        with pytest.raises(ExecutorError, match="kept on a cluster that has gone away"):
            await engine.run(remote.total([value]))
    await executor.aclose()


def test_many_arguments_go_in_several_messages_and_what_is_not_sent_is_an_error(
    executor, monkeypatch
):
    some = ["x" * 900_000 for _ in range(12)]
    assert cs.run(remote.count.map(some), executor=executor) == [900_000] * 12

    def fail(*_, **__):
        raise RuntimeError("the client is closing")

    monkeypatch.setattr(Client, "map", fail)
    with pytest.raises(ExecutorError, match="could not be sent to the cluster: the client is clos"):
        cs.run(remote.square(1), executor=executor)
    monkeypatch.undo()
    assert cs.run(remote.square(2), executor=executor) == 4
