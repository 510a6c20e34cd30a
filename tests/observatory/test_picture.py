"""An experiment as one picture."""

import struct

from cascade.observatory import Experiment, Settings, torus
from cascade.observatory.picture import draw


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
