"""``python -m benchmarks.compare_checkouts OTHER [NAME ...]``: is this checkout slower than another one?

Each round runs the same programs once in both, the order changing from round to round; a row's
figure is the median of its ratios, this one's time over the other's. A machine whose speed drifts
slows both sides of a ratio.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from benchmarks.harness import RESULTS

HERE = Path(__file__).parents[1]
PROGRAMS = ["bus", "signals", "engine"]


def measured(checkout: Path, programs: list[str]) -> Mapping[str, float]:
    """Run the programs in a checkout; return each row's value by table and name."""
    for old in (checkout / RESULTS).glob("*.json"):
        old.unlink()
    python = checkout / ".venv" / "bin" / "python"
    command = [python, "-m", "benchmarks", "--quick", *programs]
    subprocess.run(command, cwd=checkout, check=True, stdout=subprocess.DEVNULL)
    return dict(_rows(checkout / RESULTS))


def _rows(folder: Path) -> Iterator[tuple[str, float]]:
    for file in sorted(folder.glob("*.json")):
        for row in json.loads(file.read_text(encoding="utf-8"))["rows"]:
            yield f"{file.stem}: {row['name']}", row["value"]


def main() -> None:
    """Compare, and print a table of ratios; above 1 this checkout is slower."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path, help="a checkout of the repository with its .venv")
    parser.add_argument("names", nargs="*", metavar="NAME", default=PROGRAMS)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_intermixed_args()
    ratios: dict[str, list[float]] = defaultdict(list)
    for round_number in range(options.rounds):
        sides = [HERE, options.other] if round_number % 2 else [options.other, HERE]
        by_side = {side: measured(side, options.names) for side in sides}
        for name, value in by_side[HERE].items():
            before = by_side[options.other].get(name)
            if before:
                ratios[name].append(value / before)
    print(
        f"| row | ratio, median of {options.rounds} | least | most |\n| --- | ---: | ---: | ---: |"
    )
    for name, each in ratios.items():
        print(f"| {name} | {median(each):.2f} | {min(each):.2f} | {max(each):.2f} |")


if __name__ == "__main__":
    main()
