"""A session over a real, small and random network; what it cannot say by itself is scripted.

Covered: that the engine asks the network as it should: what is reused by a follow-up, that
tokens stream, that clips come out the same alone and side by side, and pictures of all kinds.
"""

import io
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from tests.asking import SURE, script
from tests.engine.acting import of
from tests.train.micro import CONFIG, vocabulary
from x2sam.engine.engine import Engine
from x2sam.engine.options import Options
from x2sam.errors import MediaError
from x2sam.model.build import build
from x2sam.model.predictor import Predictor
from x2sam.types import Done, MaskReady, TextDelta

OPTIONS = Options(frames=4, chat_frames=6, words=12, absent=0.0)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def engine():
    return Engine(Predictor(build(CONFIG, seed=1), vocabulary()))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (7, 40, 52, 3), np.uint8)


def lengths_of_runs(engine, monkeypatch):
    lengths, run = [], engine.predictor.model.language.run

    def counted(embeds, *arguments, **more):
        lengths.append(embeds.shape[1])
        return run(embeds, *arguments, **more)

    monkeypatch.setattr(engine.predictor.model.language, "run", counted)
    return lengths


def test_a_picture_from_words_to_mask(engine, pixels, monkeypatch):
    script(engine.predictor, monkeypatch, SURE)
    session = engine.open(pixels[0], options=OPTIONS)
    events = list(session.ask("the dog"))
    assert of(MaskReady, events)[0].mask.shape == (40, 52)
    assert session.objects["the dog"].masks[0].any()


def test_a_follow_up_reuses_what_was_seen(engine, pixels, monkeypatch):
    script(engine.predictor, monkeypatch, SURE)
    session = engine.open(pixels[0], options=OPTIONS)
    list(session.ask("the dog"))
    view = session._listener._views["find"]
    before = len(view.ids)
    lengths = lengths_of_runs(engine, monkeypatch)
    list(session.ask("the one to its left"))
    assert lengths[0] <= len(view.ids) - before  # neither the picture nor the first turn


def test_words_come_one_by_one_and_the_same_again(engine, pixels):
    texts = []
    for _ in range(2):
        events = list(engine.open(pixels, options=OPTIONS).ask("Hello? What is it?"))
        (done,) = of(Done, events)
        assert done.text == "".join(event.text for event in of(TextDelta, events))
        texts.append(done.text)
    assert texts[0] == texts[1]


def test_a_click_on_a_clip(engine, pixels, monkeypatch):
    script(engine.predictor, monkeypatch, SURE)
    session = engine.open(pixels, options=OPTIONS)
    list(session.prompt(points=[(20, 10), (40, 30)], labels=[1, 0], frame=3))
    thing = session.objects[0]
    assert [*thing.masks] == [*range(7)]
    assert thing.masks[3][10, 20]
    assert not thing.masks[3][30, 40]
    list(session.prompt(points=[(2, 2)], frame=5, object=thing.id))
    assert session.objects[0].masks[5][2, 2]
    list(session.ask("all like it"))


def test_side_by_side_is_as_alone(engine, pixels, monkeypatch):
    script(engine.predictor, monkeypatch, SURE)
    words = ("the dog", "the cat")
    alone = [engine.open(pixels, options=OPTIONS) for _ in words]
    for session, text in zip(alone, words, strict=True):
        list(session.ask(text))
    together = [engine.open(pixels, options=OPTIONS) for _ in words]
    threads = [
        threading.Thread(target=lambda s=session, t=text: list(s.ask(t)))
        for session, text in zip(together, words, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for one, two in zip(alone, together, strict=True):
        assert [o.masks.to_json() for o in one.objects] == [o.masks.to_json() for o in two.objects]


def encoded(image, kind, **more):
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


GREY16 = Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16)
RED = Image.new("RGB", (30, 20), "red")
EXIF = Image.Exif()
EXIF[0x0112] = 6


@pytest.mark.parametrize(
    ("source", "size"),
    [
        (Image.new("RGB", (1, 1)), (1, 1)),
        (encoded(GREY16, "PNG"), (64, 64)),
        (encoded(Image.new("CMYK", (30, 20)), "JPEG"), (20, 30)),
        (encoded(RED, "JPEG", exif=EXIF), (30, 20)),
        (encoded(Image.new("RGBA", (30, 20)), "PNG"), (20, 30)),
        (np.zeros((20, 80, 3), np.uint8), (20, 80)),
        (np.zeros((33, 47), np.float32), (33, 47)),
        (encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", (30, 20))]), (20, 30)),
    ],
)
def test_odd_pictures_are_answered(engine, source, size, monkeypatch):
    script(engine.predictor, monkeypatch, SURE)
    with engine.open(source, options=OPTIONS) as session:
        (done,) = of(Done, session.ask("the dog"))
        assert session.film.size == size
        assert all(each.masks[0].shape == size for each in session.objects)
        assert not done.stopped


@pytest.mark.parametrize("source", [b"", b"\x89PNG\r\n\x1a\n rubbish", b"no picture", "/no/file"])
def test_what_cannot_be_read_is_a_sentence_and_the_engine_lives_on(engine, source, pixels):
    with pytest.raises(MediaError, match=r"\.$"):
        engine.open(source)
    engine.open(pixels[0])


def test_facts_say_which_model_answers(engine):
    facts = engine.facts()
    assert facts["name"] == "micro"
    assert facts["device"] == "cpu"
    assert facts["parameters"].endswith("million")
