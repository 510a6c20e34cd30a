"""A real experiment on the page: what is told of it, and that telling changes nothing."""

import json
import threading
import urllib.request

import pytest

from cascade.observatory import Experiment, MirolloStrogatz, Settings, torus
from cascade.observatory.web.encoding import encode
from cascade.observatory.web.feed import ExperimentFeed, recording_of
from cascade.simulation import Pace
from observatory.recordings import firefly_server


def experiment(**given):
    response = MirolloStrogatz(epsilon=0.1)
    return Experiment(Settings(topology=torus(4), response=response, seed=5, **given))


def test_a_recording_tells_all_of_it():
    watched = experiment()
    watched.simulate()
    told = recording_of(watched)
    assert told["title"] == "16 fireflies, and nobody conducts"
    assert (told["agents"], told["columns"], told["period"]) == (16, 4, 1.0)
    assert told["parameters"]["topology"] == "torus, 4 × 4"
    assert told["flashes"]["agents"] == list(watched.log.agents)
    assert told["flashes"]["times"] == [at - watched.began for at in watched.log.seen]
    assert len(told["order"]["times"]) == len(told["order"]["values"]) > 20
    assert told["in_step_after"] == watched.in_step_after
    assert told["duration"] == pytest.approx(watched.elapsed)
    json.dumps(told)
    encode(told)


def test_updates_are_what_came_since_and_the_last_says_so():
    watched = experiment(duration=5, full=True)
    feed = ExperimentFeed(watched)
    flashes, points, told = 0, 0, []

    def look(_experiment):
        nonlocal flashes, points
        update = feed.since(flashes, points)
        assert not update["done"]
        flashes += len(update["flashes"]["times"])
        points += len(update["order"]["times"])
        told.append(update["now"])

    watched.simulate(look, every=0.5)
    feed.end()
    assert told == sorted(told)
    assert len(told) == 10
    update = feed.since(flashes, points)
    assert update["done"]
    assert (flashes + len(update["flashes"]["times"]), points) == (
        len(watched.log),
        len(watched.coherence.times),
    )


def test_a_page_that_watches_and_meddles_changes_nothing_of_what_happens():
    alone = experiment(duration=8, full=True)
    alone.simulate()
    watched, pace = experiment(duration=8, full=True), Pace(8)
    feed = ExperimentFeed(watched)
    lines = []

    def watch(url):
        for path in ("", "feed"):
            with urllib.request.urlopen(url + path, timeout=30) as page:
                lines.extend(line for line in page if line.startswith(b"event"))

    with firefly_server(feed, pace) as server:
        watcher = threading.Thread(target=watch, args=(server.url,))
        watcher.start()
        steps = iter([("factor", 0.5), ("paused", True), ("factor", 50.0)])

        def meddle(_experiment):
            name, value = next(steps, ("factor", 200.0))
            setattr(pace, name, value)
            if name == "paused":
                threading.Timer(0.1, setattr, (pace, "paused", False)).start()

        watched.simulate(meddle, every=0.1, pace=pace)
        feed.end()
        watcher.join(30)
    assert watched.trace_hash == alone.trace_hash
    assert lines[0] == b"event: metadata\n"
    assert b"event: update\n" in lines
