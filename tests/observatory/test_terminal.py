"""An experiment in the terminal: redrawn in place, line by line, or not at all."""

import io

from rich.console import Console

from cascade.observatory import Experiment, Settings, torus
from cascade.observatory.summary import describe
from cascade.observatory.terminal import LiveView, PlainView, QuietView
from cascade.observatory.terminal.lattice_view import LatticeView, glow
from cascade.observatory.terminal.sparkline import downsample, sparkline
from rows import each_row


def terminal(width=100, height=40):
    """Return a terminal that can move its cursor, whichever one the tests run in."""
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        height=height,
        _environ={"TERM": "xterm-256color"},
    )


def drawn(experiment, **size):
    console = Console(file=io.StringIO(), color_system=None, _environ={}, **size)
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


@each_row(
    ("size", "shape"), [((12, 24), (4, 2)), ((80, 5), (4, 2)), ((3, 24), (3, 2)), ((80, 3), (4, 1))]
)
def test_without_room_lights_share_a_character_or_are_cut_off(in_step, size, shape):
    width, height = size
    lines = drawn(in_step, width=width, height=height)
    assert (len(lines[0]), len(lines)) == shape
    assert set("".join(lines)) == {"▀"}


def test_an_odd_number_of_rows_fits_half_blocks_too():
    experiment = Experiment(Settings(topology=torus(5)))
    assert [len(line) for line in drawn(experiment, width=10, height=24)] == [5, 5, 5]


@each_row("size", [(100, 40), (80, 24), (40, 10), (10, 3)])
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
        experiment.simulate(view, view.every)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == describe(experiment)
    assert len(lines) == 2 + 3
    assert "flashes/s" in lines[2]
    assert "\x1b" not in "".join(lines)


def test_the_quiet_view_says_nothing(capsys, in_step):
    with QuietView() as view:
        view(in_step)
    assert capsys.readouterr() == ("", "")
