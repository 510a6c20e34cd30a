"""A server of a small page."""

from functools import partial

import pytest

from cascade.cli.web import WebServer
from cli.web.handlers import Page


@pytest.fixture
def posted():
    return []


@pytest.fixture
def server(posted):
    with WebServer(partial(Page, posted)) as server:
        yield server
