"""An experiment in the browser: live from a server on this machine, or later from a single file.

Imports point down this list:

* `view`: what ``cascade fireflies --web`` opens
* `requests`: answers what the page asks for; the server and its guards are `cascade.cli.web`
* `feed`: what the page is told of a running experiment, and the recording of one that has ended
* `page`: puts ``page.html`` and ``page_parts`` together into one file
* `encoding`: a recording in the compact form in which a page contains it
* `control_request`: reads what somebody at the page wants changed
* `recording`: the contract between all of these
"""

from cascade.observatory.web.feed import recording_of
from cascade.observatory.web.page import write_replay
from cascade.observatory.web.view import WebView

__all__ = ["WebView", "recording_of", "write_replay"]
