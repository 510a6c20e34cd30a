"""``cs.shell``: run a command, and leave none of its processes behind."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cascade.interfaces.errors import ShellError
from cascade.interfaces.protocols import LazyFactory
from cascade.spec.task import task

__all__ = ["ShellProvider", "ShellResult", "shell"]


class ShellProvider:
    """Provides ``cs.shell``."""

    name = "shell"

    def create_factory(self) -> LazyFactory:
        """Return `shell`."""
        return shell


@dataclass(frozen=True, slots=True)
class ShellResult:
    """How a command ended."""

    command: str
    returncode: int
    """Exit status; negative where a signal ended it."""

    stdout: str
    stderr: str


@task
async def shell(
    command: str | Sequence[str],
    *,
    check: bool = True,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float | None = None,
) -> ShellResult:
    """Run a command and return how it ended.

    On a time-out or cancellation the command is killed, with all processes that it started in its
    session, and awaited.

    Args:
        command: a list of arguments, run as it is; or one string, which the shell reads.
        check: raise where the exit status is not 0.
        cwd: the folder to run it in.
        env: variables to set on top of the present ones.
        stdin: what it reads from standard input.
        timeout: seconds that it may take.

    Raises:
        ShellError: the exit status is not 0, and ``check`` is on.
        TimeoutError: it took longer than ``timeout``.
        OSError: the program or the folder does not exist.
        ValueError: the command is empty.
    """
    shown = command if isinstance(command, str) else shlex.join(command)
    if not shown.strip():
        raise ValueError("cs.shell needs a command that is not empty")
    starting = asyncio.ensure_future(_start(command, cwd, env))
    try:
        process = await asyncio.shield(starting)
    except (
        asyncio.CancelledError
    ):  # it may run by now, and only a process that has started can be killed
        await _kill(await starting)
        raise
    try:
        async with asyncio.timeout(timeout):
            out, err = await process.communicate(stdin.encode())
    except BaseException as error:
        await _kill(process)
        if isinstance(error, TimeoutError):
            raise TimeoutError(f"command {shown!r} took longer than {timeout:g} s") from error
        raise
    stdout, stderr = out.decode(errors="replace"), err.decode(errors="replace")
    status = process.returncode or 0
    if check and status:
        raise ShellError(shown, status, stdout, stderr)
    return ShellResult(shown, status, stdout, stderr)


async def _start(
    command: str | Sequence[str], cwd: str | Path | None, env: Mapping[str, str] | None
) -> Process:
    variables = None if env is None else {**os.environ, **env}
    if isinstance(command, str):
        return await asyncio.create_subprocess_shell(
            command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=cwd,
            env=variables,
            start_new_session=True,
        )
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=cwd,
        env=variables,
        start_new_session=True,
    )


async def _kill(process: Process) -> None:
    """Kill the command's whole session, and wait for its end, but for nobody else who holds its pipes."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # all of them have ended by themselves
            os.killpg(
                process.pid, signal.SIGKILL
            )  # it leads its session: its children are in its group
    elif process.returncode is None:
        process.kill()
    # `wait` alone waits for the pipes too, and asyncio has no other way to close them.
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    await asyncio.shield(process.wait())
