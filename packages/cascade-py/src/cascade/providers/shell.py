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
from typing import Any

from cascade.common.messaging import bus
from cascade.interfaces.errors import ShellError, ShellTimeoutError
from cascade.interfaces.protocols import LazyFactory
from cascade.providers.output import OnLine, Output
from cascade.providers.slots import SHELL_SLOTS, Slots
from cascade.spec.resource import inject
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
    dropped: int = 0
    """Bytes that the command said beyond ``max_output``: they are missing from the beginning."""


@task
async def shell(
    command: str | Sequence[str],
    *,
    check: bool = True,
    cwd: str | Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float | None = None,
    max_output: int = 10 * 2**20,
    on_line: OnLine | None = None,
    slots: Slots = inject(SHELL_SLOTS),
) -> ShellResult:
    """Run a command and return how it ended.

    On a time-out or cancellation the command is killed, with all processes that it started in its
    session, and awaited. An engine runs 32 commands at once, see `cascade.providers.slots.slots`.

    Args:
        command: a list of arguments, run as it is; or one string, which the shell reads.
        check: raise where the exit status is not 0.
        cwd: the folder to run it in.
        env: variables to set on top of the present ones.
        stdin: what it reads from standard input.
        timeout: seconds that it may take, once it has begun.
        max_output: bytes that are kept of standard output, and as many of standard error: the last
            ones. Where there are more, a message says so, and ``dropped`` counts them.
        on_line: called with each line of both as it comes; a line of more than 64 KiB comes in pieces.
        slots: who else runs; filled in by the engine.

    Raises:
        ShellError: the exit status is not 0, and ``check`` is on.
        ShellTimeoutError: it took longer than ``timeout``, a `TimeoutError` that has what it said.
        OSError: the program or the folder does not exist.
        ValueError: the command is empty, or ``max_output`` is below 1.
        Exception: whatever ``on_line`` raises; it ends the command.

    Examples:
        >>> import cascade as cs
        >>> cs.run(cs.shell("echo one; echo two", on_line=print)).returncode
        one
        two
        0
    """
    shown = command if isinstance(command, str) else shlex.join(command)
    if not shown.strip():
        raise ValueError("cs.shell needs a command that is not empty")
    if max_output < 1:
        raise ValueError(f"max_output is a number of bytes above 0, not {max_output}")
    out, err = Output(max_output, on_line), Output(max_output, on_line)
    slot = await slots.acquire("")
    try:
        process = await _started(command, cwd, env)
        in_time = await _ended(process, stdin, timeout, out, err)
    finally:
        slot.release()
    if timeout is not None and not in_time:
        raise ShellTimeoutError(shown, timeout, out.text(), err.text())
    status, dropped = process.returncode or 0, out.dropped + err.dropped
    if dropped:
        bus.warning("shell.output_cut", command=shown, count=dropped, limit=max_output)
    if check and status:
        raise ShellError(shown, status, out.text(), err.text())
    return ShellResult(shown, status, out.text(), err.text(), dropped)


async def _started(
    command: str | Sequence[str], cwd: str | Path | None, env: Mapping[str, str] | None
) -> Process:
    """Start a command; one that is cancelled meanwhile is killed."""
    starting = asyncio.ensure_future(_start(command, cwd, env))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # It may run by now, and only a process that has started can be killed.
        await _kill(await starting)
        raise


async def _ended(
    process: Process, stdin: str, timeout: float | None, out: Output, err: Output
) -> bool:
    """Give a command what it reads, take what it says; return whether it ended before it was killed."""
    pipes = [
        asyncio.ensure_future(each)
        for each in (_feed(process, stdin), out.take(process.stdout), err.take(process.stderr))
    ]
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            await asyncio.gather(*pipes)
            await process.wait()
    except BaseException as error:
        for pipe in pipes:
            pipe.cancel()
        await _kill(process)
        if isinstance(error, TimeoutError) and limit.expired():
            return False
        raise
    return True


async def _feed(process: Process, text: str) -> None:
    """Write standard input, as much of it as the command reads."""
    stdin = process.stdin
    if stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # it has read enough
        stdin.write(text.encode())
        await stdin.drain()
    stdin.close()


async def _start(
    command: str | Sequence[str], cwd: str | Path | None, env: Mapping[str, str] | None
) -> Process:
    variables = None if env is None else {**os.environ, **env}
    settings: dict[str, Any] = {
        **dict.fromkeys(("stdin", "stdout", "stderr"), PIPE),
        "cwd": cwd,
        "env": variables,
        "start_new_session": True,
    }
    if isinstance(command, str):
        return await asyncio.create_subprocess_shell(command, **settings)
    return await asyncio.create_subprocess_exec(*command, **settings)


async def _kill(process: Process) -> None:
    """Kill the command's whole session, and wait for its end, but for nobody else who holds its pipes."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):  # all of them have ended by themselves
            os.killpg(
                process.pid, signal.SIGKILL
            )  # it leads its session: its children are in its group
    elif process.returncode is None:
        process.kill()
    # `wait` alone waits for the pipes too, and asyncio has no other way to close them. Closing the
    # whole transport would also ask after the process, behind the back of who waits for it.
    transport: asyncio.SubprocessTransport = process._transport  # type: ignore[attr-defined]  # noqa: SLF001 - see above
    for descriptor in range(3):
        pipe = transport.get_pipe_transport(descriptor)
        if pipe is not None:
            pipe.close()
    await asyncio.shield(process.wait())
