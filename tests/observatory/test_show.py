"""What people see of an experiment."""

import io
import struct

import pytest
from rich.console import Console

from cascade.observatory import Experiment, MirolloStrogatz, Settings, torus
from cascade.observatory.picture import draw
from cascade.observatory.summary import describe, verdict
from cascade.observatory.terminal import LiveView, PlainView, QuietView
from cascade.observatory.terminal.lattice_view import LatticeView, glow
from cascade.observatory.terminal.sparkline import downsample, sparkline
from cascade.simulation import run_simulated


def finished(**given):
    response = MirolloStrogatz(epsilon=given.pop("epsilon", 0.1))
    topology = torus(given.pop("side"))
    experiment = Experiment(Settings(topology=topology, response=response, **given))
    run_simulated(experiment.run(lambda _: None, 0.1))
    return experiment


@pytest.fixture(scope="module")
def in_step():
    return finished(side=4)


@pytest.fixture(scope="module")
def out_of_step():
    return finished(side=4, epsilon=0.0, duration=3)


def terminal(width=100, height=40):
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=height)


def drawn(experiment, **size):
    console = Console(file=io.StringIO(), color_system=None, **size)
    console.print(LatticeView(experiment))
    return console.file.getvalue().splitlines()


def test_a_sparkline_runs_from_0_to_the_top():
    assert sparkline([0, 0.5, 1, 2], 1) == "▁▅██"
    assert sparkline([0, 0], 0) == "▁▁"


def test_downsampling_keeps_the_last_value():
    assert downsample([1, 2], 5) == [1, 2]
    assert downsample(list(range(100)), 4) == [24, 49, 74, 99]


def test_a_light_fades_from_bright_to_night():
    assert [sum(glow(level / 10)) for level in range(11)] == sorted(
        sum(glow(level / 10)) for level in range(11)
    )


def test_with_room_each_light_takes_two_columns(in_step):
    lines = drawn(in_step, width=80, height=24)
    assert [len(line) for line in lines] == [8] * 4
    assert set("".join(lines)) <= set("·•● ")
    assert "●" in "".join(lines)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((12, 24), (4, 2)), ((80, 5), (4, 2)), ((3, 24), (3, 2)), ((80, 3), (4, 1))],
)
def test_without_room_lights_share_a_character_or_are_cut_off(in_step, size, shape):
    width, height = size
    lines = drawn(in_step, width=width, height=height)
    assert (len(lines[0]), len(lines)) == shape
    assert set("".join(lines)) == {"▀"}


def test_an_odd_number_of_rows_fits_half_blocks_too():
    experiment = Experiment(Settings(topology=torus(5)))
    assert [len(line) for line in drawn(experiment, width=10, height=24)] == [5, 5, 5]


@pytest.mark.parametrize("size", [(100, 40), (80, 24), (40, 10), (10, 3)])
def test_the_live_view_draws_on_any_terminal(in_step, size):
    console = terminal(*size)
    with LiveView(console) as view:
        view(Experiment(Settings()))
        view(in_step)
    assert console.file.getvalue().endswith("\x1b[?25h")  # the cursor is back


def test_the_live_view_shows_the_numbers(in_step):
    console = terminal()
    with LiveView(console) as view:
        view(in_step)
    text = console.file.getvalue()
    assert "16 fireflies" in text
    assert "in step since" in text


def test_plain_progress_has_a_line_for_each_second_and_no_escape_codes(capsys):
    experiment = Experiment(Settings(topology=torus(3), duration=3.5, full=True))
    view = PlainView()
    with view:
        run_simulated(experiment.run(view, view.every))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == describe(experiment)
    assert len(lines) == 2 + 3
    assert "flashes/s" in lines[2]
    assert "\x1b" not in "".join(lines)


def test_the_quiet_view_says_nothing(capsys, in_step):
    with QuietView() as view:
        view(in_step)
    assert capsys.readouterr() == ("", "")


def test_the_verdict_says_when_how_many_and_how_close(in_step):
    found = verdict(in_step)
    assert found.startswith(f"In step after {in_step.in_step_after:.1f} s: 99% of 16 fireflies")
    assert found.endswith("r = 1.000.")


def test_the_verdict_on_a_failure_says_how_far_it_came(out_of_step):
    assert verdict(out_of_step).startswith("Not in step after 3.0 s: r = 0.")
    assert "not everybody has flashed" in verdict(Experiment(Settings()))


def test_the_verdict_names_a_machine_that_does_not_keep_up():
    experiment = Experiment(Settings(topology=torus(3)))
    for agent in range(9):
        experiment.log.add(agent, seen=1.0, instant=0.99)
    assert "keep up" not in verdict(experiment)
    for agent in range(9):
        experiment.log.add(agent, seen=2.0, instant=1.8)
    assert "half of the flashes come 200 ms late" in verdict(experiment)


def test_the_picture_is_a_png_of_the_stated_size(in_step, out_of_step, tmp_path):
    for name, experiment in (
        ("one", in_step),
        ("two", out_of_step),
        ("three", Experiment(Settings(topology=torus(3)))),
    ):
        path = tmp_path / name
        draw(experiment, path)
        header = path.read_bytes()[:24]
        assert header[:8] == b"\x89PNG\r\n\x1a\n"
        assert struct.unpack(">II", header[16:24]) == (1500, 1200)
