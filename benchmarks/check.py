"""``python -m benchmarks.check``: is anything slower, beside its floor, than it was?

Each round runs the programs and keeps each row's ratio to the first row of its table, which is measured
in the same run: an asyncio task, a future's wake-up, a bare await. A machine that is busy slows a row and
its floor alike but for chance, so the least ratio of all rounds counts. What is more than a seventh above
the baseline is told, and the command ends with status 1.

``--store`` writes the baseline instead: do so after a change that was meant, on a machine that is quiet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.harness import RESULTS

PROGRAMS = ["bus", "signals", "engine"]
BASELINE = Path(__file__).with_name("baseline.json")
TOLERANCE = 1.15


def least_ratios(rounds: int) -> dict[str, float]:
    """Run the programs so many times; return the least ratio of each row by table and name."""
    least: dict[str, float] = {}
    for number in range(1, rounds + 1):
        print(f"round {number} of {rounds} …", file=sys.stderr)
        for old in RESULTS.glob("*.json"):
            old.unlink()
        command = [sys.executable, "-m", "benchmarks", "--quick", *PROGRAMS]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for name, ratio in _rows():
            least[name] = min(ratio, least.get(name, ratio))
    return least


def _rows() -> Iterator[tuple[str, float]]:
    """Yield the rows that have a floor in their table."""
    for file in sorted(RESULTS.glob("*.json")):
        _floor, *rows = json.loads(file.read_text(encoding="utf-8"))["rows"]
        for row in rows:
            yield f"{file.stem}: {row['name']}", row["ratio"]


def slower(found: Mapping[str, float], before: Mapping[str, float]) -> list[str]:
    """Return a line for each row that is slower than it was, or that is gone."""
    gone = [f"{name}: no longer measured" for name in before if name not in found]
    return gone + [
        f"{name}: {ratio:.2f} of its floor, {before[name]:.2f} before"
        for name, ratio in found.items()
        if ratio > TOLERANCE * before.get(name, ratio)
    ]


def main() -> None:
    """Compare with the baseline, or store it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", action="store_true", help="write the baseline")
    options = parser.parse_args()
    found = least_ratios(options.rounds)
    if options.store:
        rounded = {name: round(ratio, 3) for name, ratio in found.items()}
        BASELINE.write_text(f"{json.dumps(rounded, indent=1)}\n", encoding="utf-8")
        return
    lines = slower(found, json.loads(BASELINE.read_text(encoding="utf-8")))
    print("\n".join(lines) or f"{len(found)} rows, none slower than {TOLERANCE:.2f} times before")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
