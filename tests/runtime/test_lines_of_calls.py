"""Where a call was written, in the note of its failure, for who sets CASCADE_DEBUG."""

import os
import subprocess
import sys

from cascade.interfaces.errors.frames import line_of_caller

FLOW = """\
import cascade as cs
@cs.task(mode="inline")
def divides(n):
    return 1 / n
@cs.task
async def hands_over():
    return divides(n=0)
class Sums:
    @cs.task(mode="inline")
    def divide(self):
        return 1 / 0
targets = [
    divides(0),
    hands_over(),
    Sums().divide(),
    cs.route("a", {"a":
        divides(0)}),
    divides.run_if(True)(0),
    cs.timeout(cs.wait(60), 0.001),
    divides.with_retry(2)(0),
    divides.map([0]),
]
for target in targets:
    try:
        cs.run(target)
    except Exception as error:
        print(*error.__notes__, sep="; ")
"""


def notes_of(script, **environment):
    script.write_text(FLOW, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_a_note_names_the_line_where_the_call_was_written(tmp_path):
    script = tmp_path / "flow.py"
    lines = [13, 7, 15, 17, 18, 19, 20]
    notes = notes_of(script, CASCADE_DEBUG="1")
    assert [note.partition(", called at ")[2] for note in notes] == [
        *(f"{script}:{line}" for line in lines),
        "",  # the calls of a mapping are made by the engine
    ]


def test_without_the_setting_no_line_is_kept(tmp_path):
    notes = notes_of(tmp_path / "flow.py")
    assert len(notes) == 8
    assert not any("called at" in note for note in notes)


def test_the_line_is_that_of_the_first_frame_outside_of_cascade():
    here = sys._getframe()
    assert line_of_caller() == f"{here.f_code.co_filename}:{here.f_lineno}"
