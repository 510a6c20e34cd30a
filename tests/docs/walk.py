"""A walk through pages: every block of each, in order, in one shell, as somebody would who reads them.

* A block of Python with a title is the file of that name; one without is a program, and runs.
* A block of bash is typed as it stands; its status has to be 0. One with a title is for eyes, and not run.
* A block of text right behind either is what was shown; `…` stands for what differs from run to run.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<body>.*?)^```\n"
    r"(?:\n```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)
FILES = {"python", "toml", "ini", "json", "jinja", "html", "yaml", "csv"}
BROKER = "mqtt://localhost:1883"
MARK = "=== step"
PATIENCE = 280  # seconds: a bound for what goes wrong, not a measure of anything


@dataclass(frozen=True)
class Step:
    """One block of a page, as what a shell does."""

    place: str
    commands: str
    shown: str | None


def steps_of(page: Path) -> Iterator[Step]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        kind, title, body = found["kind"], found["title"], found["body"]
        place = f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}"
        if title is not None and kind in FILES:
            yield Step(place, f"cat > {title} <<'END_OF_FILE'\n{body}END_OF_FILE\n", found["shown"])
        elif kind == "python":
            program = f"cat > program.py <<'END_OF_FILE'\n{body}END_OF_FILE\npython program.py\n"
            yield Step(place, program, found["shown"])
        elif kind == "bash" and title is None:
            yield Step(place, body, found["shown"])


def pattern(shown: str) -> re.Pattern[str]:
    return re.compile("[^\n]*".join(map(re.escape, shown.split("…"))))


def walk(
    pages: Sequence[Path],
    folder: Path,
    environment: Mapping[str, str],
    broker: str = BROKER,
    patience: float = PATIENCE,
) -> None:
    """Walk through pages, each in a folder of its own, and compare what every block shows.

    Raises:
        AssertionError: a block failed, or showed something else; with its place and what it wrote.
    """
    steps: list[Step] = []
    lines = ["trap 'jobs -p | xargs -r kill' EXIT"]  # what a page left running, where it failed
    for page in pages:
        lines.append(f"mkdir -p '{folder / page.stem}'; cd '{folder / page.stem}'")
        for step in steps_of(page):
            lines.append(f"{step.commands}code=$?; echo; echo '{MARK}' {len(steps)} $code")
            lines.append(f"[ $code = 0 ] || exit $code\necho '{MARK}' {len(steps)} >&2")
            steps.append(step)
    script = "\n".join(lines).replace(BROKER, broker)
    done = subprocess.run(
        ["bash", "-s"],
        input=script,
        capture_output=True,
        text=True,
        cwd=folder,
        env=dict(environment),
        timeout=patience,
        check=False,
    )
    _compare(steps, done.stdout, done.stderr)


def _compare(steps: Sequence[Step], out: str, err: str) -> None:
    rest = out
    for number, step in enumerate(steps):
        shown, mark, rest = rest.partition(f"\n{MARK} {number} ")
        code, _, rest = rest.partition("\n")
        told = err.partition(f"{MARK} {number}\n")[0].rpartition(MARK)[2]
        assert (mark != "", code) == (True, "0"), f"{step.place} ended with {code}: {shown}\n{told}"
        if step.shown is not None:
            assert pattern(step.shown).fullmatch(shown), f"{step.place} showed:\n{shown}\n{told}"
