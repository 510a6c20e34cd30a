"""Many experiments: every combination of parameters, with several seeds, on several processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice, product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.progress import Progress

from cascade.interfaces.errors.notes import add_note
from cascade.observatory.table import Table

__all__ = ["Trial", "sweep"]

Trial: TypeAlias = Callable[..., Mapping[str, Any]]
"""``trial(seed=…, **parameters)`` gives what was measured, by name. It has to stand in a module, so that
worker processes find it, and what it takes and gives has to be numbers, texts, truth values or None."""


def sweep(
    trial: Trial,
    parameters: Mapping[str, Sequence[Any]],
    seeds: Iterable[int],
    *,
    processes: int = 2,
    path: Path | str | None = None,
    progress: bool = True,
) -> Table:
    """Try every combination of parameters with every seed, and put all results into one table.

    With a path each result is kept there as soon as it is there, a line of JSON each; called again, the
    sweep goes on where it stopped.

    Args:
        trial: one experiment.
        parameters: for each parameter the values to try.
        seeds: how often, and how differently.
        processes: worker processes; 0 does everything in this one.
        path: where to keep results.
        progress: show a bar on standard error, where that is a terminal.

    Returns:
        Columns: the parameters, ``seed``, then what the trial measured; rows in the order of the
        combinations, whichever was done first.

    Raises:
        ValueError: there is nothing to try, a parameter is called ``seed``, or trials measured
            different things.
        Exception: whatever a trial raises, with a note that says which; what was done is kept.
    """
    combinations = _combinations(parameters, seeds)
    kept = Path(path) if path is not None else None
    done = _read(kept)
    missing = [each for each in combinations if _key(each) not in done]
    console = Console(stderr=True)
    with Progress(console=console, disable=not (progress and console.is_terminal)) as bar:
        task = bar.add_task(
            "trials", total=len(combinations), completed=len(combinations) - len(missing)
        )
        for combination, measured in _results(trial, missing, processes):
            done[_key(combination)] = measured
            if kept is not None:
                _append(kept, combination, measured)
            bar.advance(task)
    return _table(combinations, done)


def _combinations(
    parameters: Mapping[str, Sequence[Any]], seeds: Iterable[int]
) -> list[dict[str, Any]]:
    if "seed" in parameters:
        raise ValueError("give seeds as seeds=…, not as a parameter")
    names = [*parameters, "seed"]
    combinations = [
        dict(zip(names, values, strict=True))
        for values in product(*parameters.values(), list(seeds))
    ]
    if not combinations:
        raise ValueError("there is nothing to try: a parameter or the seeds have no values")
    return combinations


def _table(combinations: list[dict[str, Any]], done: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = [*combinations[0], *done[_key(combinations[0])]]
    table = Table(columns)
    for combination in combinations:
        table.add({**combination, **done[_key(combination)]})
    return table


def _results(
    trial: Trial, combinations: list[dict[str, Any]], processes: int
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield each combination with what was measured, as soon as it is there."""
    if not processes:
        for combination in combinations:
            yield combination, _try(trial, combination)
        return
    left = iter(combinations)
    failure: BaseException | None = None
    running: dict[Future[Mapping[str, Any]], dict[str, Any]] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            while True:
                if failure is None:
                    for combination in islice(left, 2 * processes - len(running)):
                        running[pool.submit(_try, trial, combination)] = combination
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    combination = running.pop(future)
                    error = future.exception()
                    if error is None:
                        yield combination, future.result()
                    failure = failure or error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    if failure is not None:  # only now: what was under way is not lost
        raise failure


def _try(trial: Trial, combination: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return trial(**combination)
    except Exception as error:
        add_note(error, f"in the trial with {dict(combination)}")
        raise


# --- what is kept -----------------------------------------------------------------------------


def _key(combination: Mapping[str, Any]) -> str:
    return json.dumps(combination, sort_keys=True)


def _append(path: Path, combination: Mapping[str, Any], measured: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"tried": combination, "measured": measured}) + "\n")


def _read(path: Path | None) -> dict[str, Mapping[str, Any]]:
    """Return what was measured before, by combination; a line that an interrupt cut off is left out."""
    if path is None or not path.exists():
        return {}
    text = path.read_text(encoding="utf-8")
    whole, _, cut_off = text.rpartition("\n")
    if cut_off:
        path.write_text(f"{whole}\n" if whole else "", encoding="utf-8")
    lines = (json.loads(line) for line in whole.splitlines())
    return {_key(line["tried"]): line["measured"] for line in lines}
