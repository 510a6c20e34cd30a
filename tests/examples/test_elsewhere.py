"""An example runs as it is with all three seams swapped by their URLs: broker, database, cluster."""

import json
import re
import time

import pytest

from examples.programs import PATIENCE, copied, run, start
from executors.servers import Servers
from mqtt.broker import NEEDS_BROKER, Broker
from stores.postgres import NEEDS_POSTGRES, Postgres

pytestmark = [pytest.mark.slow, *NEEDS_BROKER, *NEEDS_POSTGRES]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Have commands meet at a broker, keep agents in a database, and send functions to a cluster."""
    with Broker(tmp_path) as broker, Postgres() as server, Servers(tmp_path, workers=3) as cluster:
        user = server.url.rpartition("user=")[2]
        monkeypatch.setenv("CASCADE_CONNECTOR", broker.url)
        monkeypatch.setenv("CASCADE_STORE", f"postgresql://{user}@/postgres?host={server.folder}")
        monkeypatch.setenv("CASCADE_EXECUTOR", f"{cluster.url}?also_processes=true")
        yield


@pytest.mark.parametrize(
    ("name", "target"), [("pipeline", "pipeline:main"), ("handbook", "handbook:book")]
)
def test_what_computes_gives_the_same_with_three_processes_of_a_cluster(
    tmp_path, request, name, target
):
    folder = copied(name, tmp_path)
    again = copied(name, tmp_path / "again")
    here = run(folder, "cascade", "run", target)
    request.getfixturevalue("elsewhere")
    there = run(again, "cascade", "run", target, "--name", "there", "--telemetry")
    assert there.splitlines()[-1] == here.splitlines()[-1]


def test_the_team_works_in_three_processes(tmp_path, elsewhere, monkeypatch):
    monkeypatch.delenv("CASCADE_STORE")  # its members live for as long as their processes
    folder = copied("team", tmp_path)
    members = [
        start(folder, "cascade", "run", "team:member", "-p", f"name={name}", "--name", name)
        for name in ("ann", "bea")
    ]
    run(folder, "cascade", "sub", "cascade/agents/+/card", "--count", "2")
    out = run(folder, "cascade", "run", "team:squares", "--name", "lead")
    assert json.loads(out.splitlines()[-1].replace("'", '"')) == {
        str(number): number**2 for number in range(12)
    }
    done = [member.communicate(timeout=PATIENCE) for member in members]
    assert sum(int(re.search(r" did (\d+)", text)[1]) for text, _ in done) == 12


def test_orders_wait_in_three_processes(tmp_path, elsewhere):
    folder = copied("order", tmp_path)
    numbers = ["order-1", "order-2", "order-3"]
    placed = [
        start(
            folder,
            "cascade",
            "run",
            "order:order",
            "--name",
            each,
            "-p",
            f"number={each}",
            "-p",
            "item=lamp",
        )
        for each in numbers
    ]
    end = time.monotonic() + PATIENCE
    while run(folder, "cascade", "agents", "list").count("orders/") < 2 * len(numbers):
        assert time.monotonic() < end
    for each in numbers:
        run(folder, "cascade", "pub", f"orders/{each}/paid", "49.5")
        run(folder, "cascade", "pub", f"orders/{each}/approved", "Ann")
    for each, process in zip(numbers, placed, strict=True):
        out, err = process.communicate(timeout=PATIENCE)
        assert f"{each}: lamp is on its way, 49.5 paid, approved by Ann" in out, err


def test_a_remote_task_of_a_command_runs_on_the_cluster(tmp_path):
    (tmp_path / "flow.py").write_text(
        "import os\nimport cascade as cs\n\n"
        '@cs.task(mode="remote")\ndef pid() -> int:\n    return os.getpid()\n\n'
        "@cs.task\ndef here() -> int:\n    return os.getpid()\n\n"
        "main = [pid(), here()]\n"
    )
    with Servers(tmp_path) as cluster:
        out = run(tmp_path, "cascade", "run", "flow:main", "--executor", cluster.url)
    there, here = json.loads(out.splitlines()[-1])
    assert there != here
    refused = ["cascade", "run", "flow:main", "--executor"]
    assert run(tmp_path, *refused, "nowhere://x", status=2) == ""
    assert run(tmp_path, *refused, cluster.url, "-j", "2", status=2) == ""
