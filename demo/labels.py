"""The words of the tabs that Gradio draws, in English and in simplified Chinese.

A word stands in the code in English, and Gradio shows it in the language of the browser:

    gr.Button(label("Run"))

What the server writes while it works is translated by `demo.chinese`, for which `language_in`
reads the same from a request. What is told about the model is in English.
"""

from __future__ import annotations

from typing import Any, Final

import gradio as gr

from demo.chinese import Language, chinese

CHINESE: Final = {
    "Image": "图片",
    "Video": "视频",
    "Batch": "批量",
    "Model": "模型",
    "One request for up to 50 pictures and clips. You get one archive with masks, overlays and "
    "a saved session for each of them.": "对最多 50 张图片和视频提出同一个要求。"
    "您会得到一个压缩包，其中有每个文件的掩码、叠加图和保存的会话。",
    "Pictures and clips": "图片和视频",
    "What do you want in each of them?": "要在每个文件里找什么？",
    "Run": "开始",
    "Stop": "停止",
    "Everything in one archive": "全部结果（压缩包）",
    "What it is, and what it can do": "它是什么，能做什么",
    "How often it is right": "准确程度",
    "Limits, and what is kept": "限制，以及保留什么",
    "Licences": "许可证",
    "This machine, for a bug report": "这台机器的情况（用于报告问题）",
    "Examine it": "检查",
    "Report": "报告",
}


def words(*sentences: str) -> gr.I18n:
    """All words in both languages, and sentences of this very page that `demo.chinese` knows."""
    every = CHINESE | {each: chinese(each) for each in sentences}
    return gr.I18n(**{"en": {each: each for each in every}, "zh": every, "zh-CN": every})


_WORDS: Final = words()


def label(english: str) -> Any:
    """Show a word in the language of the browser; it has to be among `CHINESE`."""
    assert english in CHINESE, english
    return _WORDS(english)


def sentence(english: str) -> Any:
    """Show one of the sentences that `words` is given, in the language of the browser."""
    return _WORDS(english)


def language_in(request: gr.Request) -> Language:
    """Tell the language in which Gradio shows the page to whoever asks: the browser's first."""
    accepted = str(request.headers.get("accept-language", ""))
    return "zh" if accepted.lower().startswith("zh") else "en"
