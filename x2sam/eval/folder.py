"""`x2sam eval folder DIR`: a model on your own pictures and clips.

A suite (`x2sam.media.suite`) becomes questions: its expressions, its class names, and visual
prompts drawn from its masks. A picture is treated as a clip of one frame. All questions about
a sample are answered first; then its frames pass by once, and every mask is scored as it
comes. Of a clip only its object ids are held, a byte per pixel and annotated frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from tqdm import tqdm

from x2sam.errors import X2SAMError
from x2sam.eval.answering import Frame, Masks, ask, reader, shown, side_by_side
from x2sam.eval.folder_scores import Ids, Record, Scores
from x2sam.eval.results import Result
from x2sam.eval.visual_prompts import VisualPrompt, visual_prompts
from x2sam.language.prompts import Turn, question
from x2sam.language.wordings import Media
from x2sam.media.suite import Sample, read_suite
from x2sam.media.videos import frames_at
from x2sam.model.conditions import Conditions
from x2sam.model.mask_encoder import Features
from x2sam.model.predictor import Drawing, Predictor
from x2sam.model.readout import Rules, instance

POINT = 0.02  # radius of a click or stroke, as a fraction of the longer side
FAINT = Rules(threshold=0.05)  # AP wants the unsure ones too


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question about a sample, and what should be marked for each thing it asks for."""

    row: str  # what it is counted as: "referring", "class", "click" ...
    task: str
    question: str
    targets: tuple[tuple[int, ...], ...]  # object ids
    names: tuple[str, ...] = ()  # of classes
    text: str = ""  # what was asked for, if not by names
    prompt: VisualPrompt | None = None

    @property
    def start(self) -> int:
        """The first frame that is segmented: where something was pointed at."""
        return self.prompt.frame if self.prompt else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A sample that could not be used."""

    id: str
    why: str


def evaluate(
    predictor: Predictor,
    folder: Path,
    *,
    limit: int | None = None,
    seed: int = 0,
    absent: float | None = None,
    quiet: bool = False,
) -> tuple[list[Result], list[Failure]]:
    """Score a model on a suite; a sample that cannot be used is left out and reported.

    Args:
        predictor: the model.
        folder: holds `suite.json`.
        limit: how many samples; all of them if None.
        seed: of the visual prompts.
        absent: see `x2sam.eval.answering.reader`.
        quiet: show no progress.

    Raises:
        MediaError: the suite itself is damaged.
        PromptError: so are its questions.
    """
    scores = Scores()
    failures: list[Failure] = []
    for sample in tqdm(read_suite(folder)[:limit], unit="sample", disable=quiet):
        try:
            records = score(predictor, sample, seed, absent)
        except X2SAMError as error:
            failures.append(Failure(id=sample.id, why=str(error)))
            continue
        for record in records:
            scores.add(record)
    return scores.results(), failures


def score(
    predictor: Predictor, sample: Sample, seed: int = 0, absent: float | None = None
) -> list[Record]:
    """Ask everything about one sample, and compare every answer with the truth."""
    ids = sample.ids()
    looked = shown(predictor, len(ids))
    probes = list(probes_of(sample, ids, seed, _media(looked)))
    clip = sample.type == "video"
    records = [Record(p.row, clip, p.targets, p.names) for p in probes]
    answers = _answers(predictor, sample, ids, probes, looked)
    asked = list(zip(probes, answers, records, strict=True))
    for start in sorted({probe.start for probe in probes}):
        group = [one for one in asked if one[0].start == start]
        _segment(predictor, sample, ids, group, absent)
    return records


def look(
    predictor: Predictor, sample: Sample
) -> tuple[npt.NDArray[np.uint8], Masks, Masks, str] | None:
    """Ask the first question about a sample, and take its first frame: what a person looks at.

    Returns the picture (H, W, 3), what was found (H, W), what is true (H, W) and what was asked;
    None if there is nothing to ask.
    """
    ids = sample.ids()
    looked = shown(predictor, len(ids))
    probe = next(probes_of(sample, ids, 0, _media(looked)), None)
    if probe is None:
        return None
    (conditions,) = _answers(predictor, sample, ids, [probe], looked)
    picture = next(islice(sample.pictures(frames_at), probe.start, None))
    found = np.zeros(ids.shape[1:], bool)
    if conditions is not None:
        regions = drawn(probe.prompt, found.shape)[None] if probe.prompt else None
        read = reader(predictor, probe.task, regions)
        (prediction,) = next(side_by_side(predictor, [conditions], _frames(predictor, [picture])))
        found = read(prediction).masks.any(dim=0).cpu().numpy()
    truth = np.isin(ids[probe.start], sum(probe.targets, ()))
    return picture, found, truth, f"({probe.row}) {probe.text or ', '.join(probe.names)}"


def probes_of(sample: Sample, ids: Ids, seed: int, media: Media) -> Iterator[Probe]:
    """Word all questions about a sample whose object ids are (T, H, W), shown as `media`."""
    for request in sample.expressions:
        task = "reaseg" if request.kind == "reasoning" else "refseg"
        asked = question(task, media, text=request.text)
        targets = (request.target,)
        yield Probe(row=request.kind, task=task, question=asked, targets=targets, text=request.text)
    if names := tuple(request.text for request in sample.class_queries):
        yield Probe(
            row="class",
            task="genseg",
            question=question("genseg", media, categories=names),
            targets=tuple(request.target for request in sample.class_queries),
            names=names,
        )
    task = "objseg" if media == "video" else "intseg"
    for prompt in visual_prompts(sample.id, ids, seed):
        yield Probe(
            row=prompt.kind,
            task=task,
            question=question(task, media, regions=1),
            targets=((prompt.object,),),
            prompt=prompt,
        )


def _media(looked: Sequence[int]) -> Media:
    return "image" if len(looked) == 1 else "video"


def _answers(
    predictor: Predictor,
    sample: Sample,
    ids: Ids,
    probes: Sequence[Probe],
    looked: Sequence[int],
) -> list[Conditions | None]:
    """Show some frames to the language model and ask everything: what to look for."""
    pointed = {probe.start for probe in probes if probe.prompt}
    frames: list[npt.NDArray[np.uint8]] = []
    features: dict[int, Features] = {}
    last = max(*looked, *pointed, 0)
    for index, picture in enumerate(islice(sample.pictures(frames_at), last + 1)):
        if index in looked:
            frames.append(picture)
        if index in pointed:
            features[index] = predictor.features(picture[None])
    view = predictor.look(np.stack(frames), _media(looked))
    answers = []
    for probe in probes:
        drawings = []
        if probe.prompt:
            mask = drawn(probe.prompt, ids.shape[1:])
            drawings = [Drawing(mask, features[probe.start])]
        turns = [Turn(probe.question)]
        answer = ask(predictor, view, turns, drawings, expected=len(probe.targets))
        answers.append(answer.conditions)
    return answers


def drawn(prompt: VisualPrompt, shape: Sequence[int]) -> Masks:
    """Draw a visual prompt as a person would have: (H, W) bool of the given shape."""
    if prompt.mask is not None:
        return prompt.mask
    height, width = shape
    canvas = Image.new("1", (width, height))
    pen = ImageDraw.Draw(canvas)
    if prompt.box:
        x0, y0, x1, y1 = prompt.box
        pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=1)
    radius = max(1, round(POINT * max(height, width)))
    for x, y in prompt.points:
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=1)
    if len(prompt.points) > 1:
        pen.line(prompt.points, fill=1, width=2 * radius + 1)
    return np.array(canvas)


def _segment(
    predictor: Predictor,
    sample: Sample,
    ids: Ids,
    asked: Sequence[tuple[Probe, Conditions | None, Record]],
    absent: float | None,
) -> None:
    """Let the frames pass by from the one where all of these begin, and score each."""
    start, shape = asked[0][0].start, ids.shape[1:]
    readers = []
    for probe, _, _ in asked:
        regions = drawn(probe.prompt, shape)[None] if probe.prompt else None
        readers.append(reader(predictor, probe.task, regions, absent))
    wanted = [conditions for _, conditions, _ in asked if conditions is not None]
    pictures = islice(sample.pictures(frames_at), start, None)
    seen = side_by_side(predictor, wanted, _frames(predictor, pictures))
    for index in range(start, len(ids)):
        predictions = iter(next(seen) if wanted else ())
        for (probe, conditions, record), read in zip(asked, readers, strict=True):
            prediction = None if conditions is None else next(predictions)
            found = None if prediction is None else read(prediction)
            if probe.row == "mask" and index == start:
                continue  # who is given a mask is not asked for it
            record.frame(ids[index], found)
            if probe.names and not record.clip:
                objects = None if prediction is None else instance(prediction, FAINT)
                record.classes(ids[index], found, objects)


def _frames(predictor: Predictor, pictures: Iterable[npt.NDArray[np.uint8]]) -> Iterator[Frame]:
    for picture in pictures:
        yield predictor.features(picture[None]), (picture.shape[0], picture.shape[1])
