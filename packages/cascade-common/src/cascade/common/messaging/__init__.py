"""What a person reads, addressed by an id.

Code says *what* happened (``bus.error("localbus.callback_error", topic=…, error=…)``); the
sentence stands in a catalogue for each language, and the form (a line for a terminal, or JSON)
is the choice of whoever runs the program.

Inside, imports go one way: ``bus`` → ``render`` → ``catalogue`` → ``message``, ``settings``. ``secrets``
and ``printable`` say what of a text may go out.
``testing`` stands on top of ``bus``.
"""

from cascade.common.messaging import bus
from cascade.common.messaging.bus import MessageBus
from cascade.common.messaging.message import Level, Message
from cascade.common.messaging.settings import Language, Output

__all__ = ["Language", "Level", "Message", "MessageBus", "Output", "bus"]
