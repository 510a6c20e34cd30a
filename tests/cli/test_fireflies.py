"""``cascade fireflies``: statuses, output, interruption."""

import itertools
import re
import signal
import subprocess
import urllib.request

from typer.testing import CliRunner

from cascade.cli import main
from cascade.cli.app import make_app
from cascade.observatory.command import _part_of
from cli.program import PROGRAM
from mqtt.broker import free_port
from rows import each_row

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
    assert lines[-1] == f"Written: {picture}"
    assert "\x1b" not in shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_it_writes_a_replay_and_every_flash(tmp_path):
    page, flashes = tmp_path / "replay.html", tmp_path / "flashes.csv"
    options = ["--quiet", "--replay", str(page), "--csv", str(flashes)]
    assert main([*AT_ONCE, *options]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    lines = flashes.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "time,agent"
    assert len(lines) > 9


def test_the_same_options_give_the_same_flashes(tmp_path):
    files = [tmp_path / name for name in ("one.csv", "same.csv", "other.csv")]
    for path, seed in zip(files, "112", strict=True):
        main([*AT_ONCE, "--quiet", "--seed", seed, "--csv", str(path)])
    one, same, other = (path.read_text() for path in files)
    assert one == same != other


@each_row(
    ("options", "words"),
    [
        (["--part", "1/2"], "give --connector too"),
        (["--part", "3/2"], "--part looks like 2/3"),
        (["--part", "0/2"], "--part looks like 2/3"),
        (["--part", "half"], "--part looks like 2/3"),
        (["--connector", "nowhere"], "no connector for what has no scheme"),
    ],
)
def test_what_cannot_be_a_part_or_a_meeting_place_is_told(options, words, capsys):
    assert main([*AT_ONCE, *options]) == 2
    assert words in " ".join(capsys.readouterr().err.replace("│", " ").split())


def test_a_broker_that_is_not_there_is_one_sentence_and_status_1(capsys):
    url = f"mqtt://127.0.0.1:{free_port()}/?connect_timeout=0.1"
    assert main([*AT_ONCE, "--connector", url]) == 1
    err = capsys.readouterr().err
    assert err.startswith("cascade: cannot connect: no connection to the broker at 127.0.0.1")
    assert err.count("\n") == 1


def test_parts_are_everybody_once():
    parts = [_part_of(400, f"{number}/3", alone=False) for number in (1, 2, 3)]
    assert list(itertools.chain(*parts)) == list(range(400))


def test_a_wall_clock_will_do_too(capsys):
    assert main([*AT_ONCE, "--quiet", "--wall-clock"]) == 0
    assert "In step after" in capsys.readouterr().out


@each_row("shape", ["torus", "grid", "ring", "all"])
def test_who_sees_whom_is_an_option(shape, capsys):
    assert main([*AT_ONCE, "--pace", "0", "--shape", shape]) == 0
    assert "9 fireflies" in capsys.readouterr().out


def test_the_page_is_there_while_it_runs_and_for_a_while_after():
    command = [*PROGRAM, *AT_ONCE, "--web", "--pace", "10", "--linger", "60"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        said = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/", said)[0]
        with urllib.request.urlopen(url, timeout=30) as page:
            assert page.read(15) == b"<!doctype html>"
        assert process.stdout.readline().startswith("It has ended; the page stays for 60 s")
        with urllib.request.urlopen(url, timeout=30) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert out.splitlines()[0] == "The page is closed."
    assert out.splitlines()[-1].startswith("In step after")
    assert err == ""


def test_a_swarm_out_of_step_is_status_1(capsys):
    assert main([*NEVER, "--quiet"]) == 1
    assert capsys.readouterr() == (
        "Not in step after 0.4 s: and not everybody has flashed yet.\n",
        "",
    )


@each_row(
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
        (["--replay", "."], "cannot write"),
        (["--web", "--quiet"], "give it a --pace above 0"),
        (["--web", "--port", "70000"], "a port is a number from 0 to 65535"),
        (["--shape", "cube"], "'cube' is not one of"),
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
