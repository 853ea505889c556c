"""Pictures and clips to begin with, each with a request that shows one thing the model does.

`CARDS` is the table: every kind of request occurs, on a picture or a clip of `assets/`. What a
card shows is what nano really answered, right or wrong; `scripts/make_thumbnails.py` draws it.

    >>> apple = cards("image")[0]
    >>> apple.question.en, apple.medium.name, apple.wire()["thumbnail"]
    ('the green apple', 'fruit.png', 'x2sam/static/examples/green-apple.webp')
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from x2sam.types import Drawing, Media

ASSETS: Final = Path(__file__).parent.parent / "assets"
THUMBNAILS: Final = Path(__file__).parent / "static" / "examples"


class Words(NamedTuple):
    """The same in both languages of the page."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One example: a medium of `assets/`, and what is asked about it."""

    id: str
    file: str
    title: Words
    question: Words
    shows: str  # the task that the router should choose, or that is named for it
    task: str | None = None  # named for the router, which decides where this is None
    drawings: tuple[Drawing, ...] = ()

    @property
    def kind(self) -> Media:
        """Whether it is about a picture or a clip."""
        return "video" if self.file.endswith(".mp4") else "image"

    @property
    def medium(self) -> Path:
        """The picture or clip."""
        return ASSETS / self.file

    @property
    def thumbnail(self) -> Path:
        """A picture of the answer."""
        return THUMBNAILS / f"{self.id}.webp"

    def wire(self, language: Literal["en", "zh"] = "en") -> dict[str, Any]:
        """Write it for the page; the thumbnail's address is relative to the page."""
        return {
            "id": self.id,
            "title": getattr(self.title, language),
            "question": getattr(self.question, language),
            "thumbnail": f"x2sam/static/examples/{self.thumbnail.name}",
            "kind": self.kind,
            "task": self.task,
            "media_title": self.medium.stem,
            "drawings": [drawing.to_json() for drawing in self.drawings],
        }


def cards(kind: Media) -> tuple[Card, ...]:
    """All examples about pictures, or about clips; none where `assets/` was left out."""
    return tuple(card for card in CARDS if card.kind == kind and card.medium.is_file())


def card(id_: str) -> Card | None:
    """The example of that name."""
    return next((each for each in CARDS if each.id == id_), None)


def _box(x0: float, y0: float, x1: float, y1: float) -> Drawing:
    return Drawing(kind="box", box=(x0, y0, x1, y1))


CARDS: Final = (
    Card(
        id="green-apple",
        file="fruit.png",
        title=Words("Name a thing", "说出一样东西"),
        question=Words("the green apple", "绿色的苹果"),
        shows="refseg",
    ),
    Card(
        id="drink",
        file="picnic.png",
        title=Words("Say what it is for", "说出它的用途"),
        question=Words("What could I drink?", "有什么可以喝？"),
        shows="reaseg",
    ),
    Card(
        id="fish",
        file="sea.png",
        title=Words("Click on it", "点一下"),
        question=Words("this", "这个"),
        shows="intseg",
        drawings=(Drawing.point(130, 320),),
    ),
    Card(
        id="cats",
        file="pets.png",
        title=Words("Draw a box, find its kind", "框出一个，找出同类"),
        question=Words("all like this", "所有像这样的"),
        shows="vgdseg",
        drawings=(_box(60, 350, 210, 500),),
    ),
    Card(
        id="instruments",
        file="music.png",
        title=Words("Several kinds at once", "一次多个类别"),
        question=Words("trumpet, drum", "小号、鼓"),
        shows="ovseg",
    ),
    Card(
        id="blue-car",
        file="street.png",
        title=Words("Which of two", "两个中的哪一个"),
        question=Words("the blue car", "蓝色的汽车"),
        shows="refseg",
    ),
    Card(
        id="sofa",
        file="pets.png",
        title=Words("Ask what serves a purpose", "问什么能派上用场"),
        question=Words("What could I sit on?", "我可以坐在哪里？"),
        shows="reaseg",
    ),
    Card(
        id="animals",
        file="zoo.png",
        title=Words("Describe it with masks", "用掩码描述"),
        question=Words("Describe this picture with masks.", "用掩码描述这张图片。"),
        shows="gcgseg",
        task="gcgseg",
    ),
    Card(
        id="elephants",
        file="zoo.png",
        title=Words("Ask in words", "用文字提问"),
        question=Words("How many elephants are there?", "有几头大象？"),
        shows="chat",
    ),
    Card(
        id="race",
        file="race.mp4",
        title=Words("Follow a thing", "跟踪一样东西"),
        question=Words("the blue car", "蓝色的汽车"),
        shows="refseg",
    ),
    Card(
        id="bicycle",
        file="race.mp4",
        title=Words("Click, and it is followed", "点一下就跟踪"),
        question=Words("this", "这个"),
        shows="objseg",
        drawings=(Drawing.point(360, 312),),
    ),
    Card(
        id="fly",
        file="flight.mp4",
        title=Words("Say what it can do", "说出它能做什么"),
        question=Words("What can fly?", "什么会飞？"),
        shows="reaseg",
    ),
    Card(
        id="sailboat",
        file="flight.mp4",
        title=Words("Name it, and it is followed", "说出名字就跟踪"),
        question=Words("the sailboat", "帆船"),
        shows="refseg",
    ),
    Card(
        id="garden",
        file="chase.mp4",
        title=Words("Several kinds in a clip", "视频中的多个类别"),
        question=Words("tree, mouse", "树、老鼠"),
        shows="ovseg",
    ),
    Card(
        id="chase",
        file="chase.mp4",
        title=Words("Describe a clip with masks", "用掩码描述视频"),
        question=Words("Describe this clip with masks.", "用掩码描述这段视频。"),
        shows="gcgseg",
        task="gcgseg",
    ),
)
