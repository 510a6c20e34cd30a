"""What somebody finds who comes for the first time: an empty folder, the wheels, and a package index."""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from repository.distributions import ROOT

PIN = re.compile(r"^[A-Za-z0-9][^ ;\\]*==[^ \\]+", re.MULTILINE)
LEFT_OUT = ("CASCADE_", "PYTEST_", "COV_", "PYTHON")


def environment(folder: Path, programs: Path | None = None) -> dict[str, str]:
    """Return the variables of a shell that knows nothing of this test, but where programs are."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    first = [] if programs is None else [str(programs)]
    return {
        **kept,
        "PATH": os.pathsep.join([*first, kept["PATH"]]),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "CASCADE_LANGUAGE": "en",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def index_of(wheels: Sequence[Path], folder: Path) -> dict[str, str]:
    """Return the variables that have pip find these wheels, and take the pinned versions of all else."""
    pins = PIN.findall((ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8"))
    others = [re.sub(r"\[.*\]", "", pin) for pin in pins]  # a constraint may have no extras
    ours = ["==".join(wheel.name.split("-")[:2]).replace("_", "-") for wheel in wheels]
    file = folder / "constraints.txt"
    file.write_text("\n".join([*others, *ours]) + "\n", encoding="utf-8")
    return {"PIP_CONSTRAINT": str(file), "PIP_FIND_LINKS": str(wheels[0].parent)}


def python_programs() -> Path:
    """Return the folder of the interpreter that runs this test."""
    return Path(sys.executable).parent
