"""What goes wrong outside of the program: commands, and answers of servers."""

from __future__ import annotations

from http import HTTPStatus

from cascade.interfaces.errors.base import CascadeError

__all__ = [
    "BodyTooLargeError",
    "DrawingError",
    "HttpStatusError",
    "ShellError",
    "ShellTimeoutError",
    "UnknownSchemeError",
]

_SHOWN = 500  # characters of what a command or a server said that a text shows


class ShellError(CascadeError, RuntimeError):
    """A command ended with an exit status other than 0.

    Attributes:
        command: the command line as text.
        returncode: its exit status; negative for a signal.
        stdout: what it wrote to standard output.
        stderr: what it wrote to standard error.
    """

    def __init__(self, command: str, returncode: int, stdout: str, stderr: str) -> None:
        """Show the command, its status and the end of what it said."""
        said = (stderr or stdout).strip()[-_SHOWN:]
        super().__init__(
            f"command {command!r} ended with status {returncode}: {said or '(no output)'}"
        )
        self.command = command
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


class ShellTimeoutError(CascadeError, TimeoutError):
    """A command took longer than it may, and was killed.

    Attributes:
        command: the command line as text.
        seconds: how long it was allowed to take.
        stdout: what it had written to standard output until then.
        stderr: what it had written to standard error until then.
    """

    def __init__(self, command: str, seconds: float, stdout: str, stderr: str) -> None:
        """Show the command, its time and the end of what it said."""
        said = (stderr or stdout).strip()[-_SHOWN:]
        super().__init__(
            f"command {command!r} took longer than {seconds:g} s"
            + (f"; until then it said: {said}" if said else "")
        )
        self.command = command
        self.seconds = seconds
        self.stdout = stdout
        self.stderr = stderr


class HttpStatusError(CascadeError, RuntimeError):
    """A server answered with a status of 400 or more.

    Attributes:
        url: where the answer came from, without user, password and query.
        status: the status.
        body: the body of the answer.
        retry_after: seconds that the server asks to wait, or None; a retry waits as long.
    """

    def __init__(self, url: str, status: int, body: bytes, retry_after: float | None) -> None:
        """Show address, status and the beginning of the body."""
        name = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
        said = body[:_SHOWN].decode(errors="replace").strip()
        super().__init__(
            f"{url} answered {status}{name and ' '}{name}" + (f": {said}" if said else "")
        )
        self.url = url
        self.status = status
        self.body = body
        self.retry_after = retry_after


class BodyTooLargeError(CascadeError, RuntimeError):
    """The body of an answer has more bytes than the request allows.

    Attributes:
        url: where it came from, without user, password and query.
        max_bytes: how many it may have.
    """

    def __init__(self, url: str, max_bytes: int) -> None:
        """Name the bound, and say how to have more."""
        super().__init__(
            f"the body that {url} sends has more than {max_bytes} bytes; allow more with max_bytes=…, "
            "or write it to a file with save_to=…"
        )
        self.url = url
        self.max_bytes = max_bytes


class UnknownSchemeError(CascadeError, ValueError):
    """A URL whose scheme no installed distribution knows."""

    def __init__(
        self, kind: str, scheme: str, known: list[str], extra: str | None, near: str
    ) -> None:
        """Name what is installed, and what brings more.

        Args:
            kind: what it is to be, such as a connector.
            scheme: that of the URL; empty where it has none.
            known: those that are installed.
            extra: the extra of ``cascade-py`` that brings others.
            near: a hint at a similar name.
        """
        named = f"'{scheme}://…'" if scheme else "what has no scheme"
        installed = ", ".join(f"{name}://…" for name in known) or "none"
        more = "" if extra is None else f" 'pip install cascade-py[{extra}]' brings more."
        super().__init__(f"no {kind} for {named}; installed are: {installed}.{more}{near}")


class DrawingError(CascadeError, RuntimeError):
    """A picture that Graphviz does not draw, since it is not installed or fails."""
