"""``cs.http``: ``get``, ``head``, ``post``, ``put``, ``patch``, ``delete``, over a run's connections.

* `cascade.providers.http.tasks`: the tasks, and the providers that offer them
* `cascade.providers.http.exchange`: from a request to its answer, redirects followed
* `cascade.providers.http.request`: what a request takes, and how it becomes one of httpx
* `cascade.providers.http.response`: what the server answered
"""

from cascade.providers.http.exchange import http_client
from cascade.providers.http.request import RequestOptions
from cascade.providers.http.response import Headers, HttpResponse
from cascade.providers.http.tasks import delete, get, head, patch, post, put

__all__ = [
    "Headers",
    "HttpResponse",
    "RequestOptions",
    "delete",
    "get",
    "head",
    "http_client",
    "patch",
    "post",
    "put",
]
