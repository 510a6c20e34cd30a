"""``cascade fireflies``: statuses, output, interruption."""

import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from cascade.cli import main
from cascade.cli.app import make_app

# Whoever starts the tests in the background may have them ignore interrupts; the program must not.
SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from cascade.cli import main
sys.exit(main())
"""
PROGRAM = [sys.executable, "-c", SCRIPT]

# In step from the first flash on, and a cycle is long enough for a busy machine.
AT_ONCE = ["fireflies", "--side", "3", "--epsilon", "1", "--period", "0.5"]
NEVER = ["fireflies", "--side", "3", "--epsilon", "0", "--period", "0.5", "--duration", "0.4"]


def test_a_swarm_in_step_is_status_0_and_plain_text(tmp_path):
    picture = tmp_path / "new" / "swarm.png"
    shown = CliRunner().invoke(make_app(), [*AT_ONCE, "--png", str(picture)])
    assert shown.exit_code == 0
    lines = shown.output.splitlines()
    assert lines[0].startswith("9 fireflies (torus, 3 × 3)")
    assert lines[-2].startswith("In step after ")
    assert lines[-1] == f"Picture: {picture}"
    assert "\x1b" not in shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_swarm_out_of_step_is_status_1(capsys):
    assert main([*NEVER, "--quiet"]) == 1
    assert capsys.readouterr() == (
        "Not in step after 0.4 s: and not everybody has flashed yet.\n",
        "",
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--side", "2"], "the side of a torus: 3 or more, not 2"),
        (["--side", "many"], "valid integer"),
        (["--period", "0"], "a period is a number of seconds above 0, not 0"),
        (["--b", "-1"], "b is a number above 0, not -1"),
        (["--epsilon", "-1"], "epsilon is a number of 0 or more, not -1"),
        (["--refractory", "1"], "refractory is a fraction from 0 to below 1, not 1"),
        (["--duration", "inf"], "a duration is a number of seconds above 0, not inf"),
        (["--png", "."], "cannot write"),
        (["--png", f"{__file__}/x.png"], "cannot write"),
        (["--wings", "2"], "No such option"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_status_2(options, said, capsys):
    assert main(["fireflies", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) == 1


def test_an_interrupt_ends_it_cleanly_with_status_130():
    endless = [*PROGRAM, "fireflies", "--side", "5", "--epsilon", "0"]
    with subprocess.Popen(
        endless, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        assert process.stdout.readline().startswith("25 fireflies (torus, 5 × 5)")  # so it lives
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("Stopped. Not in step after")
    assert err == ""
