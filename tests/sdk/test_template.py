"""``cs.template``: what is filled in, and what whoever writes a template cannot do."""

import jinja2
import pytest
from jinja2.exceptions import SecurityError

import cascade as cs
from rows import each_row


def test_calls_are_filled_in_as_plain_text():
    @cs.task(mode="inline")
    def name():
        return "<you>"

    assert cs.run(cs.template("Hello {{ name }}\n", name=name())) == "Hello <you>\n"


@each_row("source", ["{{ nobody }}", "{% if nobody %}{% endif %}", "{{ given.nothing }}"])
def test_an_unknown_name_is_an_error(source):
    with pytest.raises(jinja2.UndefinedError, match="nobody|nothing"):
        cs.run(cs.template(source, given={}))


def test_what_cannot_be_read_is_an_error():
    with pytest.raises(jinja2.TemplateSyntaxError):
        cs.run(cs.template("{% for %}"))


class Given:
    """What a workflow may hand to a template."""

    name = "given"

    def method(self):
        return "called"


def function():
    return "called"


WAYS_OUT = [
    "{{ cycler.__init__.__globals__.os.popen('echo out').read() }}",
    "{{ lipsum.__globals__['os'].popen('echo out').read() }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ (given|attr('__class__')).__mro__ }}",
    "{{ given.method.__func__.__globals__ }}",
    "{{ given.method.__globals__ }}",
    "{{ function.__code__.co_code }}",
    "{{ '{0.__class__.__mro__}'.format(given) }}",
    "{{ ('{0.__class__.__mro__}'|attr('format'))(given) }}",
    "{{ self.__init__.__globals__ }}",
    "{{ numbers.append(4) }}",
    "{{ names.update(a=1) }}",
    "{{ range(1000000)|list }}",
]


@each_row("source", WAYS_OUT)
def test_no_template_leads_to_the_interpreter_or_changes_what_it_is_given(source):
    numbers, names = [1], {}
    with pytest.raises((SecurityError, jinja2.UndefinedError, OverflowError)):
        cs.run(
            cs.template(
                source, given=Given(), function=function, numbers=cs.quote(numbers), names=names
            )
        )
    assert (numbers, names) == ([1], {})


def test_a_template_that_comes_by_message_runs_no_code(tmp_path):
    mark = tmp_path / "mark"
    attack = f"{{{{ lipsum.__globals__.os.popen('touch {mark}').read() }}}}"

    @cs.task
    async def greet():
        return cs.template(cs.recv("greeting"))

    connector = cs.LocalBusConnector(cs.LocalBroker())
    with pytest.raises(SecurityError):
        cs.run([greet(), cs.send("greeting", attack)], connector=connector, listen="greeting")
    assert not mark.exists()


def test_public_methods_may_be_called():
    assert cs.run(cs.template("{{ given.name }} {{ given.method() }}", given=Given())) == (
        "given called"
    )
