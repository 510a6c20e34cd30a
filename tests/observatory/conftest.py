"""One browser for all tests of the page; an experiment that a test moves on by hand."""

import pytest

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
