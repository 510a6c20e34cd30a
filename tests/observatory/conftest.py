"""One browser for all tests of the page, experiments that have ended, and one that a test moves on."""

import pytest

from cascade.observatory import Experiment, MirolloStrogatz, Settings, torus
from observatory.browser import chromium
from observatory.recordings import FakeControls, FakeFeed


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def feed():
    return FakeFeed()


@pytest.fixture
def controls():
    return FakeControls()


def _finished(**settings):
    experiment = Experiment(Settings(topology=torus(4), **settings))
    experiment.simulate(every=0.1)
    return experiment


@pytest.fixture(scope="session")
def in_step():
    return _finished(response=MirolloStrogatz(epsilon=0.1))


@pytest.fixture(scope="session")
def out_of_step():
    return _finished(response=MirolloStrogatz(epsilon=0.0), duration=3)
