"""The pictures of the pages, made from real runs: terminals, the page of a report, a graph.

``make pictures`` writes them into docs/images: `prices` is what runs. Times differ from run to run, so
these are made by hand, when what they show has changed.
"""

from __future__ import annotations

import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

import cascade as cs
from cascade.drawing import svg
from docs import prices
from repository.distributions import ROOT

IMAGES = ROOT / "docs/images"
COLUMNS = 92
_FROM_ELSEWHERE = re.compile(r"@font-face \{\{.*?\}\}\s*", re.DOTALL)
_SIZES = (1000, 700)


def terminal(name: str, commands: list[str], folder: Path) -> None:
    """Run commands one after the other in a terminal, and draw what it shows."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for command in commands:
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
        console.print(Text.from_ansi(_shown(command, folder)))
    drawn = console.export_svg(title="", code_format=_format())
    (IMAGES / name).write_text(drawn, encoding="utf-8")


def _format() -> str:
    """Return how rich draws a terminal, without the fonts that it would have from elsewhere."""
    from rich._export_format import CONSOLE_SVG_FORMAT

    return _FROM_ELSEWHERE.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "monospace")


def _shown(command: str, folder: Path) -> str:
    """Run a command in a terminal of its own; return what stands there at the end."""
    ours, theirs = pty.openpty()
    surroundings = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TERM": "xterm-256color",
        "COLUMNS": str(COLUMNS),
        "LINES": "40",
        "LC_ALL": "C.UTF-8",
    }
    process = subprocess.Popen(
        command,
        shell=True,
        cwd=folder,
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env=surroundings,
    )
    os.close(theirs)
    read = bytearray()
    while True:
        try:
            found = os.read(ours, 65_536)
        except OSError:  # the other end was closed
            break
        if not found:
            break
        read += found
    os.close(ours)
    process.wait(60)
    return _screen(read.decode("utf-8", "replace"))


def _screen(written: str) -> str:
    """Return the lines that stay: what is drawn over, as progress is, leaves none."""
    lines: list[str] = []
    row = 0
    for part in re.split(r"(\r\n|\n|\x1b\[\d*A|\x1b\[2K|\r)", written):
        if part in {"\r\n", "\n"}:
            row += 1
        elif part.endswith("A") and part.startswith("\x1b["):
            row = max(0, row - int(part[2:-1] or 1))
        elif part in {"\x1b[2K", "\r"}:
            while len(lines) <= row:
                lines.append("")
            if part == "\x1b[2K":
                lines[row] = ""
        else:
            while len(lines) <= row:
                lines.append("")
            lines[row] += re.sub(r"\x1b\[\?25[lh]|\x1b\[\d*[JKGC]", "", part)
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines)


def page(name: str, file: Path) -> None:
    """Draw a page as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
    width, height = _SIZES
    subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--hide-scrollbars",
            f"--window-size={width},{height}",
            f"--screenshot={IMAGES / name}",
            file.as_uri(),
        ],
        check=True,
        timeout=60,
        stderr=subprocess.DEVNULL,
    )


def main() -> None:
    """Make them all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(prices.__file__, folder)
        terminal(
            "run.svg",
            [
                "cascade run prices:lamp --cache .cache --report run.html",
                "cascade run prices:lamp --cache .cache",
            ],
            folder,
        )
        page("report.png", folder / "run.html")
    found = prices.cheapest(prices.ask.with_retry(3).map(["harbour", "market"], ["lamp"] * 2))
    drawn = svg(prices.buy.run_if(cs.recv("approval", 3600, default=False))(found))
    (IMAGES / "graph.svg").write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
