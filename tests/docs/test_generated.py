"""The reference has what is public, each with a sentence; what is made of the code is up to date."""

import inspect
import re
from importlib import import_module

from cascade.interfaces.topics import INBOXES
from cascade.runtime.observation.telemetry import TELEMETRY_TOPIC
from cascade.spec.constraint import CONSTRAINT_TOPIC
from docs.facts import ENVIRONMENT, PUBLIC, TOPICS
from docs.generated import DOCS, pages, sentence_of, text_behind, thing, users_names
from repository.distributions import ROOT, distributions
from rows import each_row

ALL = ["cascade", *PUBLIC]


def code():
    for each in distributions():
        yield from (path.read_text(encoding="utf-8") for path in each.modules.values())


@each_row("page", list(pages()))
def test_a_page_is_as_it_would_be_made_now(page):
    written = (DOCS / page).read_text(encoding="utf-8")
    assert written == pages()[page], "make pages"


@each_row("module", ALL)
def test_every_public_name_has_a_sentence(module):
    names = users_names() if module == "cascade" else import_module(module).__all__
    assert [name for name in names if not sentence_of(module, name)] == []


def test_every_name_behind_cs_has_an_example():
    without = [name for name in users_names() if not has_example(thing("cascade", name))]
    assert without == []


def has_example(it):
    is_error = inspect.isclass(it) and issubclass(it, BaseException)
    return is_error or ">>> " in (inspect.getdoc(it) or "") + (it.__doc__ or "")


def test_every_variable_of_the_environment_is_there():
    read = {found for text in code() for found in re.findall(r'"(CASCADE_[A-Z_]+)"', text)}
    assert read - {"CASCADE_EXAMPLE_PORT"} == set(ENVIRONMENT)


def test_every_topic_is_there():
    made = {found for text in code() for found in re.findall(r'"(cascade/\w+)[/"]', text)}
    assert {"/".join(each.split("/")[:2]) for each in TOPICS} == made - {"cascade/examples"}
    constants = [CONSTRAINT_TOPIC, TELEMETRY_TOPIC, INBOXES.partition("/+")[0]]
    assert all(any(topic.startswith(each) for topic in TOPICS) for each in constants)


def test_a_constant_without_a_sentence_would_be_seen():
    assert text_behind("INBOXES", INBOXES)
    assert not text_behind("ROOT", ROOT)
