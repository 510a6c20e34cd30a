"""The command line as a program of its own, which heeds Ctrl-C wherever the tests were started from.

A shell that starts the tests in the background has them, and what they start, ignore interrupts.
"""

import sys
from pathlib import Path

__all__ = ["INSTALLED", "PROGRAM"]

INSTALLED = Path(sys.executable).with_name("cascade")
"""The program as its users start it, which has not the current folder on its path."""

_SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from cascade.cli import main
sys.exit(main())
"""
PROGRAM = [sys.executable, "-c", _SCRIPT]
