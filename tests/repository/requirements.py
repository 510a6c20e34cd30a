"""Files of requirements: the short ones that people write, and the pinned ones made of them."""

import re

from repository.distributions import ROOT

FOLDER = ROOT / "requirements"

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?\s*([^;\\#]*)")


def requirement(line):
    """Return a requirement's normalized name with the condition on its version."""
    name, condition = _REQUIREMENT.match(line).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), condition.strip()


def pins(path):
    """Return the requirements of a file made by `make requirements`, each with its hashes."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and line[0].isalnum()]


def wanted(path):
    """Return the names in a file of direct requirements."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {requirement(line)[0] for line in lines if line and line[0].isalnum()}
