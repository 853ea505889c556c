"""What a loaded model says of itself, and one that is asked in fewer bits. Real: nano, and the
command line; nothing is faked.
"""

from pathlib import Path

import pytest

import x2sam
from x2sam import cli

FRUIT = str(Path(__file__).parents[2] / "assets" / "fruit.png")


@pytest.mark.parametrize(
    ("wish", "words"),
    [({}, "float32"), ({"dtype": "bfloat16"}, "bfloat16"), ({"bits": 4}, "layers in 4 bits")],
)
def test_facts_tell_the_precision(wish, words):
    facts = x2sam.load("nano", device="cpu", **wish).facts()
    assert facts["precision"].endswith(words)
    assert facts["parameters"] == "6.8 million"
    assert facts["device"] == "cpu"


def test_the_command_line_takes_bits(capsys):
    arguments = ["ask", FRUIT, "the green apple", "--bits", "8", "--device", "cpu"]
    assert cli.main(arguments) == 0
    assert "the green apple" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [["--bits", "4", "--offload"], ["--device", "cuda:77"], ["--revision", "v1"]]
)
def test_options_that_make_no_sense_are_sentences(options, capsys):
    assert cli.main(["ask", FRUIT, "the apple", *options]) == 2
    assert capsys.readouterr().err.startswith("x2sam: ")
