"""The page in which people see an experiment: as it runs, or again later from a single file."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template

from cascade.observatory.web.encoding import encode
from cascade.observatory.web.recording import Recording

__all__ = ["live_page", "replay_page", "security_policy", "write_replay"]

# In the order in which the later ones need the earlier ones.
_SCRIPTS = (
    "history.js",
    "canvas.js",
    "lattice.js",
    "chart.js",
    "order.js",
    "raster.js",
    "player.js",
    "feed.js",
    "controls.js",
    "view.js",
    "start.js",
)


def replay_page(recording: Recording) -> str:
    """Return a page that plays a recording, which it contains; it needs nothing else.

    Raises:
        ValueError: the recording contradicts the contract.
    """
    encoded = json.dumps(
        encode(recording), allow_nan=False, ensure_ascii=False, separators=(",", ":")
    )
    # Only a "<" could end the element that holds the recording.
    return _page(recording["title"], encoded.replace("<", "\\u003c"))


def live_page() -> str:
    """Return a page that follows the experiment behind the server it comes from."""
    return _page("Fireflies", "null")


def write_replay(recording: Recording, path: Path) -> None:
    """Write a page that plays a recording into a file.

    Raises:
        ValueError: the recording contradicts the contract.
        OSError: the file cannot be written.
    """
    path.write_text(replay_page(recording), encoding="utf-8", newline="\n")


@cache
def security_policy() -> str:
    """Return the content security policy: the page's own script and style, and the feed of its own server."""
    return (
        f"default-src 'none'; script-src {_hash(_script())}; style-src {_hash(_style())}; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )


def _page(title: str, recording: str) -> str:
    return Template(_text("page.html")).substitute(
        policy=security_policy(),
        title=html.escape(title),
        style=_style(),
        recording=recording,
        script=_script(),
    )


def _style() -> str:
    return _text("page_parts/style.css")


@cache
def _script() -> str:
    return "\n".join(_text(f"page_parts/{name}") for name in _SCRIPTS)


@cache
def _text(name: str) -> str:
    return files("cascade.observatory.web").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode('ascii')}'"
