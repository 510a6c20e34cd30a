"""What people see of an experiment: live in a terminal, line by line elsewhere, as a picture.

The picture needs matplotlib, which takes long to import; take it from `cascade.observatory.show.picture`.
"""

from cascade.observatory.show.live import LiveView
from cascade.observatory.show.plain import PlainView, QuietView
from cascade.observatory.show.words import describe, verdict

__all__ = ["LiveView", "PlainView", "QuietView", "describe", "verdict"]
