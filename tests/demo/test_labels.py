"""The words of Gradio's own tabs: every one has a translation, and numbers in them are right."""

import re

import pytest

from demo import batch_tab
from demo.labels import CHINESE, label, words
from demo.model_tab import kept
from demo.settings import Settings


def test_every_word_is_shown_in_both_languages():
    for english, chinese in CHINESE.items():
        assert label(english).key == english
        assert re.search("[一-鿿]", chinese)
        assert re.findall(r"\d+", english) == re.findall(r"\d+", chinese)
    shown = words().translations_dict
    assert shown["en"].keys() == shown["zh"].keys() == shown["zh-CN"].keys()


def test_the_most_files_are_told_rightly():
    (told,) = [english for english in CHINESE if english.startswith("One request")]
    assert re.findall(r"\d+", told) == [str(batch_tab.MOST)]


def test_a_word_without_translation_is_a_bug():
    with pytest.raises(AssertionError):
        label("Dance")


def test_limits_and_what_is_kept_are_chinese_too():
    told = kept(Settings()).split("\n\n")
    shown = words(*told).translations_dict
    for each in told:
        assert shown["en"][each] == each
        assert not re.search("[A-Za-z]", shown["zh-CN"][each].replace("MB", ""))
