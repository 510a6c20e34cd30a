"""What the harness makes of its measurements."""

import json

from benchmarks.harness import Settings, absent, compare, peer, report


async def test_ratios_are_to_the_first_candidate():
    values = {"floor": iter([2.0, 9.0, 4.0]), "other": iter([8.0, 8.0, 1.0])}

    def candidate(name):
        async def measured():
            return next(values[name])

        return measured

    rows = await compare({name: candidate(name) for name in values}, Settings(repeats=3))
    assert [(row.value, row.ratio) for row in rows] == [(4.0, 1.0), (8.0, 2.0)]


def test_what_is_not_installed_is_said_and_not_saved(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert peer("a_package_that_nobody_has") is None
    report("Peers", [absent("nobody's package")])
    assert "| nobody's package |  |  |  | not installed |" in capsys.readouterr().out
    assert json.loads((tmp_path / "build/benchmarks/peers.json").read_text())["rows"] == []
