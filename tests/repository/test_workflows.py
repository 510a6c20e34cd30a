"""The workflows can be read, end by themselves, and try every version of Python that is promised."""

import re

import pytest
import yaml

from repository.distributions import ROOT, distributions

GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yml"))
FORMS = sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml"))
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def steps(path):
    return [step for job in load(path)["jobs"].values() for step in job["steps"]]


def test_the_known_files_are_there():
    assert [path.name for path in WORKFLOWS] == ["ci.yml", "release.yml"]
    assert [path.name for path in FORMS] == ["bug_report.yml", "config.yml", "feature_request.yml"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_every_form_can_be_read(path):
    assert isinstance(load(path), dict)


@EACH
def test_every_job_ends_by_itself(path):
    jobs = load(path)["jobs"]
    assert [name for name, job in jobs.items() if not job.get("timeout-minutes")] == []


@EACH
def test_a_workflow_may_only_read_unless_a_job_says_more(path):
    assert load(path)["permissions"] == {"contents": "read"}


@EACH
def test_a_workflow_says_which_of_its_runs_exclude_each_other(path):
    assert set(load(path)["concurrency"]) == {"group", "cancel-in-progress"}


@EACH
def test_every_action_has_its_major_version(path):
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert [name for name in used if not re.search(r"@(v\d+|release/v\d+)$", name)] == []


@EACH
def test_the_makefile_has_every_command_that_a_workflow_runs(path):
    said = re.findall(
        r"^make ([\w-]+)$", "\n".join(s.get("run", "") for s in steps(path)), re.MULTILINE
    )
    assert said
    assert [name for name in said if f"\n{name}: " not in MAKEFILE] == []


@pytest.mark.parametrize("distribution", distributions(), ids=lambda each: each.name)
def test_the_versions_of_python_that_are_promised_are_those_that_are_tested(distribution):
    tested = load(GITHUB / "workflows" / "ci.yml")["jobs"]["tests"]["strategy"]["matrix"]["python"]
    promised = [
        found[1]
        for line in distribution.project["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    ]
    assert promised == tested
    assert distribution.project["requires-python"] == f">={tested[0]}"


def test_hooks_run_tools_of_this_repository_only():
    repos = load(ROOT / ".pre-commit-config.yaml")["repos"]
    hooks = [hook for repo in repos for hook in repo["hooks"]]
    assert {repo["repo"] for repo in repos} == {"local"}
    assert {hook["language"] for hook in hooks} == {"system"}
    assert [hook["id"] for hook in hooks if not hook["entry"].startswith(".venv/bin/")] == []
