"""Every sentence that can reach a visitor reads in Chinese, and keeps its names and numbers.

Sentences are collected from the source itself: what expected errors, warnings and remarks are made
of, with `{}` for each value. Where a value is one of a few words, each of them is tried. Sentences
that no visitor can bring about are left out by the tables below, which say why.
"""

from __future__ import annotations

import ast
import re
from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from demo.chinese import SENTENCES, chinese, language_of, spoken, told
from demo.turns import apologise
from demo.visitors import ClosedError
from demo.zero import LendingError
from x2sam.errors import LimitError, X2SAMError
from x2sam.language import commands, router
from x2sam.language.tasks import TASKS
from x2sam.media.limits import Limits
from x2sam.types import Command, Media

ROOT = Path(__file__).parents[2]
HAN = re.compile("[一-鿿]")

NOT_HERE = {  # files and folders whose sentences no visitor of the page sees
    "x2sam/train": "training is started from a terminal",
    "x2sam/eval": "so is evaluation",
    "x2sam/cli.py": "a terminal",
    "x2sam/doctor": "a report for developers",
    "x2sam/engine/commands.py": "a terminal",
    "x2sam/engine/replay.py": "saved sessions are opened by the command line and by Python",
    "x2sam/media/suite.py": "what training and evaluation read",
    "demo/command.py": "whoever starts the page",
    "demo/settings.py": "whoever starts the page",
    "demo/page.py": "whoever starts the page",
    "demo/programs.py": "programs are answered in English",
}
NOT_SAID = {  # sentences that only a program in Python can bring about
    "There are {} points, but {} labels.": "`Session.prompt`",
    "There is no frame {}; the first one is 0.": "`Session.prompt`",
    "An array of shape {} is not a picture; it should be (height, width, 3).": "arrays",
    "A picture of floats should have values from 0 to 1.": "arrays",
    "A picture cannot be made of {}; it should be uint8.": "arrays",
    "An array of shape {} and type {} is not a clip; it should be (frames, height, width, 3) of "
    "uint8.": "arrays",
    "A clip without frames cannot be written.": "`write_clip`",
    "{} has its LoRA merged already; it cannot be kept apart.": "`load(merge_lora=False)`",
    "To keep LoRA apart, the package peft must be installed.": "`load(merge_lora=False)`",
}
ERRORS = {X2SAMError, *X2SAMError.__subclasses__(), ClosedError, LendingError}
MAKERS = {each.__name__ for each in ERRORS} | {"Warning"}


class Collector(ast.NodeVisitor):
    """All sentences of one file."""

    def __init__(self, tree: ast.Module, constants: dict[str, list[ast.expr]]) -> None:
        self.constants = constants  # of other files
        self.found: set[str] = set()
        self.odd: set[str] = set()  # what cannot be read from the source
        self.named: dict[str, list[ast.expr]] = {}  # what a name stands for, anywhere in the file
        self.functions = {
            each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)
        }
        for node in ast.walk(tree):
            self._remember(node)
        self.visit(tree)

    def _remember(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.named.setdefault(name, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self.named.setdefault(name, []).append(value)
            case ast.arguments(args=args, defaults=[*defaults]) if defaults:
                for arg, value in zip(args[-len(defaults) :], defaults, strict=True):
                    self.named.setdefault(arg.arg, []).append(value)
            case ast.Call(keywords=keywords):
                for each in keywords:
                    if each.arg == "otherwise":
                        self.named.setdefault("otherwise", []).append(each.value)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        match node.func:
            case ast.Name(id=name) if name in MAKERS and node.args:
                self._take(node.args[0])
            case ast.Attribute(value=ast.Name(id="notes"), attr="append"):
                self._take(node.args[0])
        for each in node.keywords:
            if each.arg in ("error", "reason") and not isinstance(each.value, ast.Call):
                self._take(each.value, strictly=False)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        match node.targets:
            case [ast.Attribute(attr="notes" | "error")]:
                self._take(node.value, strictly=False)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        match node.target:
            case ast.Attribute(attr="notes") if node.value is not None:
                self._take(node.value, strictly=False)

    def _take(self, node: ast.expr, *, strictly: bool = True) -> None:
        read = self.sentences(node)
        self.found.update(read)
        if strictly and not read:
            self.odd.add(ast.unparse(node))

    def sentences(self, node: ast.expr, depth: int = 0) -> list[str]:
        """Write an expression as sentences, with `{}` for what only a run can tell."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                parts = [self._part(each, depth) for each in values]
                return ["".join(choice) for choice in product(*parts)]
        behind = self._behind(node) if depth < 4 else []
        return [text for each in behind for text in self.sentences(each, depth + 1)]

    def _behind(self, node: ast.expr) -> list[ast.expr]:
        """What an expression may stand for."""
        match node:
            case ast.IfExp(body=body, orelse=orelse):
                return [body, orelse]
            case ast.Tuple(elts=[*elements]) | ast.BinOp(left=ast.Tuple(elts=[*elements])):
                return elements
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self.named.get(name) or self.constants.get(name, [])
            case ast.Call(func=ast.Attribute(value=value, attr="format" | "strip")):
                return [value]
            case ast.Call(func=ast.Name(id=name)) if name in self.functions:
                body = ast.walk(self.functions[name])
                returned = [each.value for each in body if isinstance(each, ast.Return)]
                return [each for each in returned if each]
        return []

    def _part(self, node: ast.expr, depth: int) -> list[str]:
        """One part of a sentence: text, or a value; a value of few words is each of them."""
        if isinstance(node, ast.Constant):
            return [str(node.value)]
        assert isinstance(node, ast.FormattedValue)
        words: list[str] = []
        if isinstance(node.value, ast.IfExp):
            words = self.sentences(node.value, depth + 1)
        if isinstance(node.value, ast.Name) and node.value.id in ("reason", "where"):
            words = self.sentences(node.value, depth + 1)
        return words or ["{}"]


def constants_of(trees: list[ast.Module]) -> dict[str, list[ast.expr]]:
    """What names in capitals stand for, of all files."""
    found: dict[str, list[ast.expr]] = {}
    for tree in trees:
        for node in tree.body:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant() as value):
                    found.setdefault(name, []).append(value)
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() as value):
                    found.setdefault(name, []).append(value)
    return found


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """All sentences that may be said."""
    paths = sorted([*ROOT.glob("x2sam/**/*.py"), *ROOT.glob("demo/*.py")])
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    trees = {
        name: ast.parse(path.read_text("utf-8"))
        for name, path in zip(names, paths, strict=True)
        if not name.startswith(tuple(NOT_HERE))
    }
    constants, found = constants_of([*trees.values()]), set()
    for name, tree in trees.items():
        collector = Collector(tree, constants)
        assert not collector.odd, f"{name} makes sentences that cannot be read: {collector.odd}"
        found |= collector.found
    return found


def filled(pattern: str) -> tuple[str, list[str]]:
    """Put values into a pattern, none of which is a word that has a translation."""
    values = [f"v{number}" for number in range(pattern.count("{}"))]
    return pattern.format(*values), values


def lost(sentence: str, values: list[str]) -> bool:
    """Whether a sentence has no translation, or one that drops a value."""
    translated = chinese(sentence)
    return not HAN.search(translated) or not all(value in translated for value in values)


def test_what_can_reach_a_visitor_reads_in_chinese(collected):
    missing = [each for each in sorted(collected - NOT_SAID.keys()) if lost(*filled(each))]
    assert missing == [], "demo/chinese_*.py lack these sentences, or values in them"


def test_the_collection_is_one(collected):
    """A collector that finds nothing would let everything pass."""
    assert len(collected) > 130
    assert collected >= NOT_SAID.keys(), "an exception for what is not said any more"
    assert collected >= {
        "{} has no moving picture.",
        "There is no GPU for this at the moment. {}",
        "“{}” has no mask on frame {}. Mark it on a frame first.",
        "The page sent something that makes no sense. Load it again.",
        "The model sees no object there; what you drew is kept as it is.",
        "This clip cannot be played here; its frames are shown one by one.",
    }


def test_what_is_left_out_exists():
    assert [name for name in NOT_HERE if not (ROOT / name).exists()] == []


def test_every_reason_reads_in_chinese():
    reasons = {rule.reason for rule in (*router.WORDS, *router.MARKS) if rule.reason}
    reasons |= {row.reason for row in commands.ROWS}
    assert [
        reason
        for reason in reasons
        if lost(reason.format(count="v0"), ["v0"] if "{count}" in reason else [])
    ] == []


@pytest.mark.parametrize("text", ["sky, road, cars", "a, b, c, d, e, f, g, h, i, j, k", "the dog"])
@pytest.mark.parametrize("media", get_args(Media))
def test_a_reason_of_the_router_leaves_no_english(text, media):
    routed = router.route(text, media=media)
    assert not re.search("[A-Za-z]", chinese(routed.reason))
    assert not re.search("[A-Za-z]", chinese(f"{routed.reason}; the drawing is not used"))


def test_limits_leave_no_english():
    limits = Limits()
    checks = (
        lambda: limits.check_picture_bytes("a.png", 10**9),
        lambda: limits.check_picture_size("a.png", 10**5, 10**5),
        lambda: limits.check_clip_bytes("a.png", 10**9),
        lambda: limits.check_frame_size("a.png", 10**5, 10**5),
        lambda: limits.check_clip_length("a.png", 3, 10**5 + 0.5),
        lambda: limits.check_clip_length("a.png", 10**6, 3),
    )
    for check in checks:
        with pytest.raises(LimitError) as caught:
            check()
        rest = chinese(str(caught.value)).replace("a.png", "").replace(" MB", "")
        assert not re.search("[A-Za-z]", rest), rest


def test_words_within_sentences_read_in_chinese_too():
    words = [task.title for task in TASKS.values()]
    words += [row.action for row in commands.ROWS if row.strict]
    assert [word for word in words if not HAN.search(chinese(word))] == []


def test_a_report_keeps_its_number():
    english = apologise(ZeroDivisionError())
    (number,) = re.findall(r"report (\w+)", english)
    assert number in chinese(english)


def test_each_pattern_is_found_by_what_it_writes():
    """No pattern hides another, and none loses or repeats a value."""
    for pattern, words in SENTENCES.items():
        sentence, values = filled(pattern)
        assert chinese(sentence) == words.replace(":w}", "}").format(*values)
        assert sorted(set(re.findall(r"\{(\d)", words))) == [
            str(n) for n in range(len(values))
        ] or (pattern.startswith("Masks are carried"))


def test_notes_that_come_together_are_translated_each():
    both = (
        "30 frames per second are assumed. Nobody knows this one. "
        "Transparent parts are shown on white."
    )
    assert chinese(both) == "按每秒 30 帧处理。Nobody knows this one.透明部分以白色显示。"


def test_values_with_odd_letters_are_carried_over():
    name = "a {} b {0} \\ (x) is empty. \n“.png”"
    assert chinese(f"{name} is damaged.") == f"{name} 已损坏。"
    assert (
        chinese("There is no object “clip”. There are: none yet.") == "没有对象“clip”。现有：暂无。"
    )


def test_what_is_no_sentence_of_ours_stays_as_it_is():
    assert chinese("x" * 5000) == "x" * 5000
    assert chinese("") == ""
    assert spoken("There is nothing to undo.", "en") == "There is nothing to undo."


def test_only_the_server_is_translated_and_nothing_is_changed_in_place():
    answer = {
        "ok": False,
        "error": "Mark something first.",
        "state": {
            "turns": [{"text": "done", "note": "chosen by you", "reply": "done"}],
            "objects": [{"name": "not found"}],
        },
        "events": [{"kind": "text", "text": "done"}, {"kind": "error", "text": "Packing."}],
    }
    shown = told(answer, "zh")
    assert shown["error"] == "请先做标记。"
    assert shown["state"]["turns"] == [{"text": "done", "note": "由您选择", "reply": "done"}]
    assert shown["state"]["objects"] == [{"name": "not found"}]
    assert [each["text"] for each in shown["events"]] == ["done", "正在打包。"]
    assert answer["error"] == "Mark something first."
    assert told(answer, "en") is answer


@pytest.mark.parametrize("sent", [None, "zh", [], {}, {"language": "fr"}, {"language": None}])
def test_whoever_does_not_say_so_is_not_chinese(sent):
    assert language_of(sent) == "en"
    assert language_of({"language": "zh"}) == "zh"


def test_commands_speak_with_a_reason():
    order = router.route("undo")
    assert isinstance(order, Command)
    assert HAN.search(chinese(order.reason))
