"""Parts of the executor for Dask that need no cluster: addresses, versions, refusals, what goes by its code."""

import cloudpickle
import pytest
from distributed.security import Security

from cascade.executors.dask import DaskExecutor, address, executor_from, packing, workers
from cascade.executors.dask.worker import Facts, facts_about
from cascade.interfaces.errors import ExecutorError
from cascade.interfaces.executor import Invocation
from executors import remote_tasks


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("dask://scheduler", "tcp://scheduler:8786"),
        ("dask://10.0.0.1:99/", "tcp://10.0.0.1:99"),
        ("dask://[::1]", "tcp://[::1]:8786"),
        ("dask+tls://scheduler", "tls://scheduler:8786"),
    ],
)
def test_a_url_names_the_scheduler(url, text):
    found, options = address.read_url(url)
    assert (found.text, options) == (text, {})


def test_a_url_names_certificates_and_options():
    url = "dask+tls://host?ca=ca.pem&cert=me.pem&key=me.key&also_processes=true&patience=2"
    security = address.read_url(url)[0].security
    assert security.require_encryption
    assert (security.tls_ca_file, security.tls_client_cert) == ("ca.pem", "me.pem")
    assert executor_from(url).takes_demands_of == {"process", "remote"}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("dask://", "names its host"),
        ("dask://host:port", "is no number"),
        ("dask://user:secret@host", "neither user nor path"),
        ("dask://host/db", "neither user nor path"),
        ("dask://host?ca=ca.pem", "certificates need dask\\+tls://"),
        ("dask://host?pace=1", "no option 'pace'"),
        ("dask://host?also_processes=yes", "true or false, not 'yes'"),
        ("dask://host?patience=soon", "number of seconds, not 'soon'"),
        ("dask://host?patience=0", "above 0"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_secrets(url, words):
    with pytest.raises(ValueError, match=words) as failed:
        executor_from(url)
    assert "secret" not in str(failed.value)


def test_a_cluster_is_known_by_its_address():
    class Cluster:
        scheduler_address = "tls://host:1"
        security = Security(require_encryption=True)

    found = address.address_of(Cluster())
    assert (found.text, found.security) == ("tls://host:1", Cluster.security)
    with pytest.raises(TypeError, match="a cluster or a client of Dask"):
        DaskExecutor(object())


class Workers:
    """Stands for a client: its workers answer so."""

    def __init__(self, *answers):
        self._answers = answers

    async def run(self, _function, on_error):
        assert on_error == "return"
        return {f"tcp://{number}": answer for number, answer in enumerate(self._answers)}


async def test_workers_with_other_versions_are_refused():
    here = facts_about()
    await workers.check_versions(Workers(here, here))
    with pytest.raises(ExecutorError, match=r"tcp://1 has Python 3\.9"):
        await workers.check_versions(Workers(here, Facts("3.9", here.cascade)))
    with pytest.raises(ExecutorError, match=r"has Python .* and Cascade 9\.9"):
        await workers.check_versions(Workers(Facts(here.python, "9.9")))
    with pytest.raises(ExecutorError, match="does not have cascade-executor-dask"):
        await workers.check_versions(Workers(ModuleNotFoundError("No module named 'cascade'")))


def test_a_cluster_without_workers_is_named():
    refused = workers.refusal(Invocation("remote", len, name="length"), {}, 2)
    assert isinstance(refused, ExecutorError)
    assert "no worker for 2 s" in str(refused)


def test_a_module_registered_by_value_goes_by_its_code():
    function = remote_tasks.square.function
    assert not packing.by_value(function)
    cloudpickle.register_pickle_by_value(remote_tasks)
    try:
        assert packing.by_value(function)
    finally:
        cloudpickle.unregister_pickle_by_value(remote_tasks)
