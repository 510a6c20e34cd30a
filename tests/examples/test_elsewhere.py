"""An example runs as it is with all three seams swapped by their URLs: broker, database, cluster."""

import json

import pytest

from examples.programs import copied, run
from executors.servers import Servers
from mqtt.broker import NEEDS_BROKER, Broker
from stores.postgres import NEEDS_POSTGRES, Postgres

pytestmark = [pytest.mark.slow, *NEEDS_BROKER, *NEEDS_POSTGRES]


def test_the_pipeline_runs_on_three_processes_of_a_cluster(tmp_path, monkeypatch):
    folder = copied("pipeline", tmp_path)
    here = run(folder, "cascade", "run", "pipeline:main")
    with Broker(tmp_path) as broker, Postgres() as server, Servers(tmp_path, workers=3) as cluster:
        monkeypatch.setenv("CASCADE_CONNECTOR", broker.url)
        monkeypatch.setenv("CASCADE_STORE", f"postgresql://postgres@/postgres?host={server.folder}")
        monkeypatch.setenv("CASCADE_EXECUTOR", f"{cluster.url}?also_processes=true")
        there = run(folder, "cascade", "run", "pipeline:main", "--name", "sales", "--telemetry")
    assert there.splitlines()[-1] == here.splitlines()[-1]


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
