"""Made-up recordings, and an experiment that a test moves on by hand."""

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from functools import partial

from cascade.cli.web import WebServer
from cascade.observatory.web.recording import Recording
from cascade.observatory.web.requests import FireflyRequests


def made_up(agents=100, *, columns=10, periods=20, seed=1, **others) -> Recording:
    """Return a recording of fireflies that draw together until, half way, all flash at once.

    From then on they flash at whole seconds, and are dark in between.
    """
    chance = random.Random(seed)
    start = [chance.random() for _ in range(agents)]
    flashes = sorted(
        (turn + phase * max(0.0, 1 - 2 * turn / periods), agent)
        for turn in range(periods)
        for agent, phase in enumerate(start)
    )
    points = [step / 20 for step in range(20, 20 * (periods - 1))]
    return {
        "title": f"{agents} made-up fireflies",
        "parameters": {"period": "1 s", "seed": str(seed)},
        "agents": agents,
        "columns": columns,
        "period": 1.0,
        "duration": float(periods),
        "flashes": {"times": [at for at, _ in flashes], "agents": [who for _, who in flashes]},
        "order": {"times": points, "values": [min(1.0, 2 * at / periods) for at in points]},
        "in_step_after": periods / 2,
        **others,
    }


@dataclass
class FakeControls:
    paused: bool = False
    factor: float = 1.0


@dataclass
class FakeFeed:
    """A feed of a recording as far as ``now``, which the test sets."""

    whole: Recording = field(default_factory=made_up)
    now: float = 0.0
    done: bool = False

    def metadata(self):
        names = ("title", "parameters", "agents", "columns", "period")
        return {name: self.whole[name] for name in names}

    def since(self, flashes, points):
        done, now = self.done, self.now
        seen, order, found = (self.whole[name] for name in ("flashes", "order", "in_step_after"))
        flashed, known = bisect_right(seen["times"], now), bisect_right(order["times"], now)
        return {
            "now": now,
            "flashes": {name: seen[name][flashes:flashed] for name in ("times", "agents")},
            "order": {name: order[name][points:known] for name in ("times", "values")},
            "in_step_after": found if found is not None and found <= now else None,
            "done": done,
        }


def firefly_server(feed, controls):
    """Return a server of the page, not yet open."""
    return WebServer(partial(FireflyRequests, feed, controls))
