"""``cascade graph`` draws what a target is made of, as the format or the file's ending says."""

from cascade.cli import main


def said(capsys, *arguments, status=0):
    """Run a command and return what it wrote to standard output and to standard error."""
    assert main(list(arguments)) == status
    return capsys.readouterr()


def test_graph_draws_calls_and_what_they_need(capsys):
    assert said(capsys, "graph", "cli.flows:total").out.splitlines() == [
        "flowchart TD",
        '    n0["add"]',
        '    n1["double(1)"]',
        '    n2["double"]',
        '    n3["double(2)"]',
        "    n1 --> n0",
        "    n2 --> n0",
        "    n3 --> n2",
    ]


def test_graph_writes_a_file_as_its_ending_says(capsys, tmp_path):
    path = tmp_path / "graph.dot"
    said(capsys, "graph", "cli.flows:several", "--output", str(path))
    assert path.read_text().startswith("digraph {\n")
    assert '    n1 [label="double(1)" shape=box' in path.read_text()
    said(capsys, "graph", "cli.flows:several", "--output", str(path), "--format", "mermaid")
    assert path.read_text().startswith("flowchart TD\n")


def test_graph_says_how_to_have_svg_drawn(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    err = said(capsys, "graph", "cli.flows:total", "--format", "svg", status=1).err
    assert len(err.splitlines()) == 1
    assert "install graphviz" in err
    err = said(capsys, "graph", "cli.flows:total", "--output", str(tmp_path), status=1).err
    assert len(err.splitlines()) == 1
    assert "IsADirectoryError" in err
