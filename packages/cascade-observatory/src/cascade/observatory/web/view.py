"""The view in a browser: a page of this machine's own, as long as the experiment runs and a while longer."""

from __future__ import annotations

from functools import partial
from threading import Event
from typing import Self

import typer

from cascade.cli.web import WebServer
from cascade.observatory.experiment import Experiment
from cascade.observatory.web.feed import ExperimentFeed
from cascade.observatory.web.requests import FireflyRequests
from cascade.simulation import Pace

__all__ = ["WebView"]


class WebView:
    """Serves the page from the beginning of the experiment until some time after its end."""

    every = 1 / 30
    """Seconds between reports."""

    def __init__(self, experiment: Experiment, pace: Pace, port: int, linger: float) -> None:
        """Prepare the server; the page opens with the context.

        Args:
            experiment: what to show.
            pace: what the page's controls change.
            port: of the loopback address; 0 is any free one.
            linger: seconds that the page stays after the end.

        Raises:
            ValueError: there is no such port.
        """
        self._feed = ExperimentFeed(experiment)
        self._server = WebServer(partial(FireflyRequests, self._feed, pace), port)
        self._linger = linger

    def __enter__(self) -> Self:
        """Open the page, and print where it is.

        Raises:
            OSError: the port is taken.
        """
        self._server.__enter__()
        typer.echo(f"Watch it at {self._server.url} (Ctrl+C ends it)")
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Let the page receive the end, and keep it open for a while, unless something went wrong."""
        try:
            if kind is None:
                self._feed.end()
                typer.echo(f"It has ended; the page stays for {self._linger:g} s (Ctrl+C ends it)")
                Event().wait(self._linger)
        except KeyboardInterrupt:
            typer.echo("The page is closed.")
        finally:
            self._server.__exit__(kind, *error)

    def __call__(self, experiment: Experiment) -> None:
        """Do nothing: the page asks for its news itself."""
