"""The command line: ``cascade``, with commands that the installed distributions bring along.

* `cascade.cli.start`: where the program begins; it needs nothing, so that it can say what is missing
* `cascade.cli.app`: the program, and its answer to usage errors; needs typer, from the extra ``cli``
* `cascade.cli.commands`: finds and loads the commands
* `cascade.cli.web`: pages that commands serve to the browser on this machine
"""

from cascade.cli.start import main

__all__ = ["main"]
