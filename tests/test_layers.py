"""The house rules of docs/design.md, enforced on the source itself.

Covered: which package may import which, where torch may stand, the size of files and
functions, module headers, and that the light part really starts without torch. Nothing is faked.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LADDER = ("errors", "config", "types", "media", "language", "model", "tracker", "engine")


def up_to(name):
    return {*LADDER[: LADDER.index(name) + 1]}


MAY_IMPORT = {  # parts of x2sam, besides itself
    **{name: {*LADDER[:index]} for index, name in enumerate(LADDER)},
    "train": up_to("tracker"),
    "eval": up_to("engine") | {"train"},
    "doctor": up_to("engine"),
    "cli": up_to("engine") | {"train", "eval", "doctor"},
    "__main__": {"cli"},
    "__init__": up_to("engine"),
    "demo": up_to("engine") | {"doctor"},
}
HEAVY = {"torch", "torchvision", "transformers", "accelerate", "bitsandbytes", "sam2"}
MAY_BE_HEAVY = {"model", "tracker", "engine", "train", "eval"}

SOURCES = sorted(path for folder in ("x2sam", "demo") for path in (ROOT / folder).rglob("*.py"))
FOLDERS = ("x2sam", "demo", "tests", "scripts", "examples", "benchmarks")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def name_of(path):
    return str(path.relative_to(ROOT))


def part_of(path):
    """`x2sam/media/masks.py` is of the part media; all of `demo/` is of the part demo."""
    top, *rest = path.relative_to(ROOT).with_suffix("").parts
    return rest[0] if top == "x2sam" else top


def imported(node):
    """The dotted names that one import statement brings in."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        return {f"{node.module}.{alias.name}" for alias in node.names}
    return set()


def imports(tree):
    return set().union(*(imported(node) for node in ast.walk(tree)))


def parts_imported(names):
    """The parts of x2sam (and demo) among dotted names; `x2sam.X2SAMError` is of `__init__`."""
    parts = set()
    for name in names:
        top, _, rest = name.partition(".")
        if top == "demo":
            parts.add("demo")
        elif top == "x2sam":
            part = rest.partition(".")[0]
            parts.add(part if part in MAY_IMPORT else "__init__")
    return parts


def test_the_parts_of_a_dotted_name():
    names = {"x2sam.media.masks.encode", "x2sam.errors", "x2sam.__version__", "demo.page", "json"}
    assert parts_imported(names) == {"media", "errors", "__init__", "demo"}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_one_way(path):
    part = part_of(path)
    assert part in MAY_IMPORT, f"{part} is a new part: give it a row in MAY_IMPORT"
    # The package's own front door is open only to what stands above everything it exports.
    allowed = MAY_IMPORT[part] | {part} | ({"__init__"} if part not in LADDER else set())
    wrong = parts_imported(imports(ast.parse(path.read_text("utf-8")))) - allowed
    assert not wrong, f"{name_of(path)} may not import {sorted(wrong)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_torch_stays_where_it_belongs(path):
    tree = ast.parse(path.read_text("utf-8"))
    part = part_of(path)
    if part in MAY_BE_HEAVY:
        return
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    statements = [node for node in ast.walk(tree) if not (part == "doctor" and id(node) in inside)]
    heavy = {name for node in statements for name in imported(node)}
    assert not {name.partition(".")[0] for name in heavy} & HEAVY


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_and_functions_fit_on_a_few_screens(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 80, node.name


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), "no header"


def test_the_light_part_starts_without_torch():
    """In a fresh interpreter, import all that the layers below `model` consist of."""
    light = [path for path in SOURCES if part_of(path) not in MAY_BE_HEAVY | {"demo", "__main__"}]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in light]
    program = "\n".join(
        [
            "import sys",
            *(f"import {name.removesuffix('.__init__')}" for name in names),
            f"print(*sorted({HEAVY!r} & sys.modules.keys()))",
        ]
    )
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split() == []
