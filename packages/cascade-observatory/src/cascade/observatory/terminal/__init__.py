"""An experiment in the terminal: redrawn in place, or line by line for logs and pipes.

Imports point down this list:

* `live`: redraws the terminal in place
* `plain`: a line about each second, or nothing
* `lattice_view`: the lights as characters
* `sparkline`: numbers as a row of small bars
"""

from cascade.observatory.terminal.live import LiveView
from cascade.observatory.terminal.plain import PlainView, QuietView

__all__ = ["LiveView", "PlainView", "QuietView"]
