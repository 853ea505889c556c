"""The documents tell the truth. Nothing is faked; git says which files belong to the project.

Covered: paths named in README.md and CONTRIBUTING.md exist, every subcommand is described, the
changelog and the version agree, no large file slips in, and the project speaks of itself alone.
"""

import re
import subprocess
from pathlib import Path

import pytest

import x2sam
from x2sam.cli import COMMANDS

ROOT = Path(__file__).parent.parent
LIMIT = 5_000_000  # bytes; weights are the exception
WEIGHTS = Path("x2sam/weights")
FORBIDDEN = {  # each pattern is written so that it does not match itself
    "a path of one machine": r"(?<![\w.$>}])/(?:wor[k]|hom[e]|roo[t]|Use[r]s)/\w",
    "the address of a package index": r"pypi[.]org|pythonhosted[.]org|download[.]pytorch",
    "unfinished work": r"\b(?:TO[D]O|FIX[M]E|XX[X])\b",
}


@pytest.fixture(scope="module")
def files():
    """All files of the project, as paths from its root."""
    command = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if answer.returncode:
        pytest.skip("not a git checkout")
    names = [Path(name) for name in answer.stdout.split("\0") if name]
    return [name for name in names if (ROOT / name).is_file()]


def paths_named_in(text):
    """Relative links, and code spans that look like a path of this project."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    spans = re.findall(r"`([\w.-]+(?:/[\w.-]+)*/?)`", text)
    looks_like = re.compile(r".*/.*|.*\.(?:py|md|toml|txt)|LICENSE|NOTICE")
    return [*links, *(span for span in spans if looks_like.fullmatch(span))]


def test_paths_are_found_in_text():
    text = (
        "See `x2sam/media/`, `LICENSE`, `x2sam doctor`, [this](docs/a.md) and [X](https://x.y/z)."
    )
    assert paths_named_in(text) == ["docs/a.md", "x2sam/media/", "LICENSE"]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_named_paths_exist(document, files):
    known = {str(path) for path in files}
    known |= {str(parent) for path in files for parent in path.parents}
    for named in paths_named_in((ROOT / document).read_text("utf-8")):
        if not named.startswith(".venv"):
            assert named.rstrip("/") in known, f"{document} names {named}"


def test_the_readme_describes_every_subcommand():
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in COMMANDS if f"`x2sam {name}" not in readme]
    assert not missing


def test_the_readme_has_the_two_commands():
    readme = (ROOT / "README.md").read_text("utf-8")
    for script in ("scripts/demo", "scripts/test"):
        assert f"\n{script} " in readme
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} cannot be run"


def test_the_changelog_knows_the_version():
    """Unreleased comes first; the newest release below it, if any, is the version in the code."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    unreleased, *releases = re.findall(r"^## \[?(Unreleased|\d[^\s\]]*)", changelog, re.MULTILINE)
    assert unreleased == "Unreleased"
    assert releases[:1] in ([], [x2sam.__version__])


def test_the_version_is_written_once():
    pyproject = (ROOT / "pyproject.toml").read_text("utf-8")
    assert 'attr = "x2sam.__version__"' in pyproject
    assert not re.search(r"^version = \"", pyproject, re.MULTILINE)


def test_public_names_exist_and_are_sorted():
    assert all(getattr(x2sam, name) for name in x2sam.__all__)
    capitals = [name for name in x2sam.__all__ if name.isupper()]
    assert x2sam.__all__ == capitals + sorted(set(x2sam.__all__) - set(capitals))


def test_no_large_file_slips_in(files):
    large = [path for path in files if (ROOT / path).stat().st_size > LIMIT]
    assert [path for path in large if not path.is_relative_to(WEIGHTS)] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_project_speaks_of_itself_alone(what, files):
    pattern = re.compile(FORBIDDEN[what])
    found = []
    for path in files:
        try:
            text = (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue  # pictures, clips, weights
        found += [f"{path}: {match[0]}" for match in pattern.finditer(text)]
    assert not found
