"""``cs.read``, ``cs.write`` and ``cs.fs``: on this machine, behind URLs, and over standard input and output."""

import io
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

import cascade as cs
from cascade.interfaces.errors import BrokenProviderError
from cascade.providers import places
from cascade.runtime.events import TaskCached
from cascade.spec.codec import decode, encode
from rows import each_row


@pytest.fixture(params=["path", "cs.File", "text", "file", "memory"])
def place(request, tmp_path):
    """Return how a file of that name is called, for each kind of place."""
    if request.param == "cs.File":
        return lambda name: cs.File(tmp_path / name)
    start = {
        "path": tmp_path,
        "text": str(tmp_path),
        "file": tmp_path.as_uri(),
        "memory": f"memory://{tmp_path}",
    }[request.param]
    return lambda name: start / name if isinstance(start, Path) else f"{start}/{name}"


ROWS = [{"name": "Ann", "age": "3"}, {"name": "Bo, the\nother", "age": ""}]


@each_row(
    ("form", "value"),
    [
        ("text", "one\r\ntwo é"),
        ("bytes", b"\x00\xff"),
        ("json", {"a": [1, None, "é"]}),
        ("yaml", {"b": [1, None, "é"], "a": 2}),
        ("csv", ROWS),
    ],
)
def test_what_is_written_is_read_again(place, form, value):
    file = place(f"folder/{form}")
    written = getattr(cs.write, form)(file, value)
    assert cs.run(getattr(cs.read, form)(written)) == value
    assert cs.run(written) == str(file)
    assert cs.run(cs.fs.exists(file))


async def test_a_file_that_is_remembered_is_read_again_when_it_has_changed(tmp_path):
    file, told = cs.File(tmp_path / "a.csv"), []
    async with cs.Engine(cache=tmp_path / "cache") as engine:
        engine.events.listen(lambda event: told.append(type(event)))
        for number in "1121":
            file.path.write_text(f"n\n{number}\n")
            assert await engine.run(cs.read.csv.with_cache()(file)) == [{"n": number}]
    assert told.count(TaskCached) == 2


def test_tables(place):
    rows = [{"n": 1, "t": "a"}, {"n": 2, "t": None}]
    file = cs.run(cs.write.parquet(place("rows.parquet"), rows))
    assert cs.run(cs.read.parquet(file)).to_pylist() == rows
    table = cs.read.parquet(cs.write.parquet(place("t.parquet"), pa.table({"n": [3], "m": [4]})))
    assert cs.run(table).to_pydict() == {"n": [3], "m": [4]}
    assert cs.run(cs.read.parquet(place("t.parquet"), columns=["m"])).to_pydict() == {"m": [4]}
    cs.run(cs.write.text(place("none.parquet"), "no table"))
    with pytest.raises(ValueError, match=r"none.parquet is no Parquet"):
        cs.run(cs.read.parquet(place("none.parquet")))


def test_files_are_found_copied_and_removed(place):
    for name in ("a/one.txt", "a/b/two.txt", "a/three.csv"):
        cs.run(cs.write.text(place(name), name))
    found = cs.run(cs.fs.glob(str(place("a/**/*.txt"))))
    assert [each.rpartition("/a/")[2] for each in found] == ["b/two.txt", "one.txt"]
    assert [cs.run(cs.read.text(each)) for each in found] == ["a/b/two.txt", "a/one.txt"]
    copied = cs.run(cs.fs.copy(place("a/one.txt"), place("c/copy.txt")))
    assert cs.run(cs.read.text(copied)) == "a/one.txt"
    cs.run(cs.fs.remove(copied))
    assert not cs.run(cs.fs.exists(copied))
    cs.run(cs.fs.remove(copied, missing_ok=True))
    with pytest.raises(FileNotFoundError):
        cs.run(cs.fs.remove(copied))
    with pytest.raises(FileNotFoundError):
        cs.run(cs.read.text(copied))


@each_row(
    ("form", "text", "said"),
    [
        ("json", "{", "x is no JSON"),
        ("toml", "=", "x is no TOML"),
        ("yaml", "a: [", "x is no YAML"),
        ("yaml", "!!python/object/apply:os.getcwd []", "x is no YAML of plain data"),
        ("csv", "a,b\n1\n", "line 2 has not as many cells"),
        ("csv", "a,b\n1,2,3\n", "line 2 has not as many cells"),
    ],
)
def test_what_cannot_be_read_names_its_place(form, text, said):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
        with pytest.raises(ValueError, match=said.replace("x is", "- is")):
            cs.run(getattr(cs.read, form)("-"))


@each_row(
    ("call", "kind"),
    [
        (cs.write.json("never", {1, 2}), TypeError),
        (cs.write.json("never", float("nan")), ValueError),
        (cs.write.yaml("never", object()), TypeError),
        (cs.write.toml("never", {"a": None}), TypeError),
        (cs.write.toml("never", ["a"]), TypeError),
        (cs.write.csv("never", [{"a": 1}, {"b": 2}]), ValueError),
    ],
)
def test_what_cannot_be_written_is_refused(call, kind):
    with pytest.raises(kind):
        cs.run(call)
    assert not Path("never").exists()


def test_toml_and_other_separators(tmp_path):
    (tmp_path / "a.toml").write_text("a = {b = 1}", encoding="utf-8")
    assert cs.run(cs.read.toml(tmp_path / "a.toml")) == {"a": {"b": 1}}
    settings = {"name": "é", "n": [1, 2.5], "day": date(2026, 1, 2), "table": {"on": True}}
    assert cs.run(cs.read.toml(cs.write.toml(tmp_path / "b.toml", settings))) == settings
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfa;b\r\n1;2\r\n")
    assert cs.run(cs.read.csv(tmp_path / "a.csv", delimiter=";")) == [{"a": "1", "b": "2"}]
    cs.run(cs.write.csv(tmp_path / "b.csv", [{"a": 1, "b": 2}], delimiter=";"))
    assert (tmp_path / "b.csv").read_text(encoding="utf-8") == "a;b\n1;2\n"
    assert cs.run(cs.read.csv(cs.write.csv(tmp_path / "c.csv", []))) == []
    cs.run(cs.write.text(tmp_path / "d", "é", encoding="latin-1"))
    assert cs.run(cs.read.text(tmp_path / "d", encoding="latin-1")) == "é"


# --- all or nothing -------------------------------------------------------------------------------


def test_what_was_there_stays_until_all_is_written(place):
    file = place("kept.txt")
    cs.run(cs.write.text(file, "before"))

    def write_half():
        with places.writing(file) as opened:
            opened.write(b"half")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_half()
    assert cs.run(cs.read.text(file)) == "before"
    assert [each.rpartition("/")[2] for each in cs.run(cs.fs.glob(str(place("*"))))] == ["kept.txt"]


@pytest.mark.skipif(os.name != "posix", reason="Windows has neither such links nor modes")
def test_links_modes_and_devices_stay_what_they_are(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("before", encoding="utf-8")
    real.chmod(0o640)
    link.symlink_to(real)
    cs.run(cs.write.text(link, "after"))
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8") == "after"
    assert real.stat().st_mode & 0o777 == 0o640
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", pipe], stdout=subprocess.PIPE) as reader:
        cs.run(cs.write.text(pipe, "through"))
        assert reader.communicate(timeout=60) == (b"through", None)
    assert pipe.is_fifo()


def test_standard_input_and_output(tmp_path):
    program = "import cascade as cs; cs.run(cs.write.text('-', cs.read.text('-')))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=b"a\r\nb",
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == b"a\r\nb"


# --- what is needed -------------------------------------------------------------------------------


def test_files_of_this_machine_need_no_library(tmp_path):
    program = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['fsspec', 'yaml', 'pyarrow'], None))\n"
        "import cascade as cs\n"
        "print(cs.run(cs.fs.exists(cs.write.json('-', cs.fs.glob('*')))))\n"
        "for name in ('yaml', 'parquet'):\n"
        "    for what in (cs.read, cs.write):\n"
        "        try: getattr(what, name)\n"
        "        except cs.CascadeError as error: print(error)\n"
        "try: cs.run(cs.read.text('s3://bucket/key'))\n"
        "except cs.CascadeError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown, there, *said = done.stdout.splitlines()
    assert (shown, there) == ("[]", "False")
    extras = ["read", "write", "read", "write", "fs"]
    for line, extra in zip(said, extras, strict=True):
        assert f"pip install 'cascade-py[{extra}]'" in line


def test_a_scheme_that_needs_more_or_is_unknown_says_so():
    with pytest.raises(BrokenProviderError, match=r"s3://… needs more.*s3fs"):
        cs.run(cs.read.text("s3://bucket/key"))
    with pytest.raises(ValueError, match="nonsense"):
        cs.run(cs.read.text("nonsense://x"))


def test_calls_of_them_are_data():
    call = cs.write.json("a.json", cs.read.csv("a.csv", delimiter=";"), indent=2)
    assert repr(decode(encode(call))) == repr(call)
