"""A picture shows what a target is made of, and means the same whatever its texts are."""

import re
import shutil
import subprocess
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cascade as cs
from cascade.common.messaging.secrets import Secret
from cascade.drawing import dot, graphviz, mermaid, svg
from cascade.interfaces.errors import CyclicGraphError, DrawingError, InvalidTaskError
from drawing.shapes import fetch, is_new, kind, parse, report

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="needs Graphviz")


def boxes(target):
    """Return the texts of boxes, as Mermaid has them."""
    return re.findall(r"^ +[nr]\d+(?:v\d+)?\W{1,2}\"(.*)\"", mermaid(target), re.MULTILINE)


def arrows(target):
    """Return arrows by the texts of what they join, with the way they are drawn."""
    drawn = mermaid(target)
    names = dict(re.findall(r"^ +([nr]\d+(?:v\d+)?)\W{1,2}\"(.*)\"", drawn, re.MULTILINE))
    found = re.findall(r"^ +(\w+) (-->|-\.->|-\.-)(?:\|\"(.*)\"\|)? (\w+)$", drawn, re.MULTILINE)
    return [
        (names[source].split("<br/>")[0], look, label, names[sink].split("<br/>")[0])
        for source, look, label, sink in found
    ]


# --- what is drawn --------------------------------------------------------------------------------


def test_plain_arguments_are_told_and_calls_have_arrows():
    page = fetch("a")
    assert arrows(report(page, 3, kind(page))) == [
        ("fetch('a')", "-->", "", "report(3)"),
        ("kind", "-->", "", "report(3)"),
        ("client", "-.-", "", "fetch('a')"),
        ("fetch('a')", "-->", "", "kind"),
    ]


def test_the_branches_of_a_route_are_drawn_with_what_leads_to_them():
    page = fetch("a")
    drawn = arrows(cs.route(kind(page), {"html": parse(page), "none": None}))
    assert ("kind", "-->", "selector", "route") in drawn
    assert ("parse", "-.->", "'html'", "route") in drawn
    assert ("None", "-.->", "'none'", "route") in drawn
    assert ("fetch('a')", "-->", "", "parse") in drawn


def test_a_condition_and_what_stands_under_it_are_drawn():
    drawn = arrows(report.run_if(is_new("a"), or_else=parse("c", database=1))(kind("b")))
    assert drawn == [
        ("is_new('a')", "-->", "condition", "run_if"),
        ("report", "-.->", "if true", "run_if"),
        ("parse('c', database=1)", "-.->", "else", "run_if"),
        ("kind('b')", "-->", "", "report"),
    ]


def test_combinators_have_what_they_enclose_around_them():
    shared = kind("outside")
    enclosed = cs.retry(cs.timeout(report(parse("inside"), shared), 5), 3)
    drawn = mermaid([enclosed, shared])
    assert re.search(r"^    n\d+\[\"kind\('outside'\)\"\]$", drawn, re.MULTILINE)  # in no group
    assert re.search(r"^            n\d+\[\"parse\('inside'\)\"\]$", drawn, re.MULTILINE)  # in two
    assert drawn.count("subgraph") == drawn.count("    end\n") == 2
    assert ("timeout 5 s", "-->", "", "retry#58; 3 attempts") in arrows([enclosed, shared])


def test_what_follows_a_failure_and_what_comes_first_are_drawn():
    call = cs.after(cs.catch(kind("a"), (OSError, ValueError), use=report("b")), is_new("c"))
    assert [each for each in arrows(call) if each[2]] == [
        ("catch OSError, ValueError", "-.->", "then", "after"),
        ("is_new('c')", "-->", "first", "after"),
        ("report('b')", "-.->", "on failure", "catch OSError, ValueError"),
    ]


def test_policies_stand_in_the_box():
    task = (
        kind.with_retry(4, delay=0.5, on=(OSError,))
        .with_timeout(10)
        .with_cache(ttl=60)
        .with_demands(gpu=2)
        .with_journal()
    )
    (box,) = boxes(task("a"))
    assert box == (
        "kind('a')<br/>retry#58; 4 attempts, after 0.5 s, on OSError"
        "<br/>timeout 10 s<br/>cache 60 s<br/>demands gpu=2<br/>journal"
    )
    assert boxes(kind.with_outputs("a.html")("a")) == ["kind('a')<br/>writes a.html"]


def test_a_mapping_is_one_box_with_the_policies_of_its_task():
    pages = fetch.with_retry(3).map(["a", "b"])
    assert boxes(cs.settle(kind.map(pages))) == [
        "settle kind.map<br/>for each item",
        "fetch.map<br/>2 items<br/>retry#58; 3 attempts",
        "client",
    ]
    assert boxes(kind.with_placement("big", "other", priority=1, batch=5)("a")) == [
        "kind('a')<br/>on big or other<br/>priority 1<br/>batches of 5"
    ]
    assert boxes(kind.with_window(2).run_if(is_new("c"), or_else=0).map(["a"])) == [
        "kind.map<br/>each if is_new('c')<br/>else 0<br/>1 items<br/>window 2"
    ]


def test_resources_are_drawn_once_with_what_they_need():
    assert arrows([parse("a"), parse("b"), parse("c", database=None)])[3:] == [
        ("database", "-.-", "", "parse('a')"),
        ("settings", "-.-", "", "database"),
        ("database", "-.-", "", "parse('b')"),
    ]


def test_signals_waits_and_parameters_are_drawn_as_written():
    assert boxes(
        [
            cs.recv("door/+", 5, buffered=True),
            cs.recv(("a", "b"), default=None),
            cs.send("lamp", cs.param("word", type=str), retain=True),
            cs.wait(3),
        ]
    ) == [
        "collect",
        "recv('door/+', 5, buffered=True)",
        "recv(('a', 'b'), default=None)",
        "send('lamp', retain=True)",
        "wait(3)",
        "param('word', type=str)",
    ]


def test_a_value_that_has_no_text_of_its_own_is_left_out():
    (box,) = boxes(report(object(), [1, object()], "x" * 100, list(range(99))))
    assert box == "report(…, [1, …], '" + "x" * 22 + "…, …)"


def test_a_secret_is_hidden_however_it_is_cut():
    secret = Secret("correct horse battery staple of the stable")
    drawn = mermaid(cs.route(1, {str(secret): kind(f"Bearer {secret}")})) + dot(kind(str(secret)))
    assert "correct" not in drawn
    assert "Bearer #42;#42;#42;" in drawn


def test_a_task_and_a_list_can_be_drawn_and_a_number_not():
    assert boxes(is_new) == ["is_new"]
    assert boxes([is_new("a")]) == ["collect", "is_new('a')"]
    with pytest.raises(InvalidTaskError):
        mermaid(5)


def test_a_chain_of_many_calls_and_of_many_combinators_is_drawn():
    call = kind("a")
    for _ in range(2_000):
        call = kind(cs.retry(call, 2))
    assert len(boxes(call)) == 4_001
    assert dot(call).count("subgraph") == 2_000


def test_a_call_that_needs_itself_is_an_error():
    needed = []
    needed.append(report(needed))
    with pytest.raises(CyclicGraphError):
        mermaid(needed[0])


# --- texts ----------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ['"]; n0 --> n9', "<script>alert(1)</script>", '%%{init: {"theme": "dark"}}%%', "`**a**`"]
)


def decoded(text):
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


@given(texts, texts)
def test_no_text_means_anything_to_mermaid(name, key):
    call = cs.route(1, {key: cs.task(name=name or "a")(lambda: None)()})
    lines = mermaid(call).splitlines()
    assert len(lines) == 4
    box = re.fullmatch(r'    n1\["([\w .,()\[\]/=+\'!?…×#;-]*)"\]', lines[2])
    assert box is not None
    assert re.fullmatch(r'    n1 -\.->\|"[\w .,()\[\]/=+\'!?…×#;-]*"\| n0', lines[3])
    if name.isprintable():
        assert decoded(box[1]) == name or not name


@needs_graphviz
@pytest.mark.parametrize(
    "text",
    ['"]; n0 -> n9 [label="', "<script>alert(1)</script>", "\\N \\n &lt; &#60; \\", "<b>a</b>"],
)
def test_no_text_means_anything_to_graphviz(text):
    drawn = svg(cs.route(1, {text[:9]: cs.task(name=text)(lambda: None)()}))
    assert ET.fromstring(drawn) is not None
    shown = {"".join(each.itertext()) for each in ET.fromstring(drawn).iter() if each.text}
    plain = {each.replace("\xa0", " ") for each in shown}
    assert text in plain
    assert len(re.findall(r'class="node"', drawn)) == 2


# --- Graphviz, and notebooks ----------------------------------------------------------------------


@needs_graphviz
def test_svg_is_what_graphviz_draws_each_time_the_same():
    call = cs.retry(report(parse("a"), cs.recv("go")), 2)
    drawn = svg(call)
    assert drawn == svg(call)
    assert {"report", "parse('a')", "recv('go')"} <= {
        "".join(each.itertext()) for each in ET.fromstring(drawn).iter()
    }
    assert call._repr_html_().startswith("<svg")


def test_without_graphviz_the_error_says_how_to_have_it_and_a_notebook_has_text(monkeypatch):
    monkeypatch.setenv("PATH", "")
    call = kind("<b>")
    with pytest.raises(DrawingError, match="apt, dnf or brew install graphviz"):
        svg(call)
    html = call._repr_html_()
    assert html.startswith("<pre>flowchart TD\n")
    assert "<b>" not in html
    assert kind.map(["a"])._repr_html_().startswith("<pre>flowchart TD\n")


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (subprocess.CalledProcessError(1, "dot", stderr=b"syntax"), "syntax"),
        (subprocess.TimeoutExpired("dot", 2), "more than 2 s"),
        (PermissionError("not allowed"), "not allowed"),
    ],
)
def test_what_graphviz_cannot_draw_is_said_and_a_notebook_has_text(monkeypatch, failure, said):
    def fail(*_, **__):
        raise failure

    monkeypatch.setattr(graphviz.subprocess, "run", fail)
    with pytest.raises(DrawingError, match=said):
        svg(kind("a"), timeout=2)
    assert kind("a")._repr_html_().startswith("<pre>")


class Unsized(list):
    def __len__(self):
        raise TypeError("<no> length")


def test_a_notebook_hears_what_is_wrong_with_a_call():
    needed = []
    needed.append(report(needed))
    assert needed[0]._repr_html_().startswith("<pre>CyclicGraphError: ")
    assert kind.map(Unsized("ab"))._repr_html_() == "<pre>TypeError: &lt;no&gt; length</pre>"
