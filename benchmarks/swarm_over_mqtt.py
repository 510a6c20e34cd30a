"""``python -m benchmarks.swarm_over_mqtt``: the commands of docs/mqtt.md, three processes and one swarm.

They live on real time, so it takes some twenty-five seconds on a quiet machine and may fail on a busy
one. Ends with status 0 if every process saw 99 % of all fireflies flash together.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.mosquitto import HOST, broker

PAGE = Path(__file__).parents[1] / "docs" / "mqtt.md"
PATIENCE = 150.0  # seconds


def commands(port: int) -> list[list[str]]:
    """Return the page's commands, for a broker on that port."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("localhost:1883", f"{HOST}:{port}").splitlines()
    words = [shlex.split(line.removesuffix("&")) for line in lines]
    start = [sys.executable, "-c", "import sys; from cascade.cli import main; sys.exit(main())"]
    return [[*start, *arguments] for name, *arguments in words if name == "cascade"]


def main() -> int:
    """Run them, and print what each said last."""
    with tempfile.TemporaryDirectory() as folder, broker() as port:
        started = [
            subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
            for command in commands(port)
        ]
        try:
            said = [process.communicate(timeout=PATIENCE)[0] for process in started]
        finally:
            for process in started:
                process.kill()
                process.wait()
    for words in said:
        print(next((line for line in words.splitlines() if "n step after" in line), words))
    return max(process.returncode for process in started)


if __name__ == "__main__":
    sys.exit(main())
