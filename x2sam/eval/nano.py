"""`x2sam eval nano`: how good the small model is at everything it was trained for.

`ROWS` is the whole evaluation: which samples, what is measured of each answer, and how that
becomes one number. Answers are generated, never given (`x2sam.eval.answering`). Rows that
look at the same samples share one pass over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from x2sam.eval import metrics
from x2sam.eval.metrics import Overlap, mean
from x2sam.eval.nano_samples import QUESTIONS, Draw, Material, Outcome, missing, outcome, samples
from x2sam.eval.panoptic import Segments, panoptic_quality
from x2sam.eval.results import Result
from x2sam.model.predictor import Predictor
from x2sam.train.sprites import Split
from x2sam.train.texts import RegionKind

PHRASES = (
    *("noun", "kind", "colour", "size", "position"),
    *("corner", "relation", "between", "ordinal"),
)
POINTERS: tuple[RegionKind, ...] = ("click", "box", "scribble")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One number: `measure` looks at an answer, `total` at all of them."""

    task: str
    metric: str
    draw: Draw
    measure: Callable[[Outcome], Any]
    total: Callable[[Iterable[Any]], float]
    bar: float | None = None
    at_most: bool = False


def evaluate(
    predictor: Predictor,
    material: Material,
    limit: int,
    rows: Sequence[Row] | None = None,
    *,
    quiet: bool = False,
) -> list[Result]:
    """Measure rows (all of them by default) on `limit` samples each."""
    rows = ROWS if rows is None else rows
    splits = {row.draw.split for row in rows}
    streams = {split: material.stream(split) for split in sorted(splits)}
    results: dict[Row, Result] = {}
    draws = list(dict.fromkeys(row.draw for row in rows))
    with tqdm(total=limit * len(draws), unit="answer", disable=quiet) as bar:
        for draw in draws:
            own = [row for row in rows if row.draw == draw]
            stream = streams[draw.split]
            if why := missing(draw, stream):
                results |= {row: _result(row, why=why) for row in own}
                bar.update(limit)
                continue
            bar.set_description(own[0].task)
            measured: dict[Row, list[tuple[str, Any]]] = {row: [] for row in own}
            for sample in samples(draw, stream, limit):
                seen = outcome(predictor, sample, stream)
                for row in own:
                    measured[row].append((sample.family, row.measure(seen)))
                bar.update()
            results |= {row: _result(row, pairs) for row, pairs in measured.items()}
    return [*_with_means([results[row] for row in rows])]


def _result(row: Row, pairs: Sequence[tuple[str, Any]] = (), why: str = "") -> Result:
    families = list(dict.fromkeys(family for family, _ in pairs))
    parts = {
        family: row.total([value for other, value in pairs if other == family])
        for family in (families if len(families) > 1 else ())
    }
    return Result(
        task=row.task,
        metric=row.metric,
        value=row.total([value for _, value in pairs]),
        n=len(pairs),
        bar=row.bar,
        at_most=row.at_most,
        parts=parts,
        why=why if pairs or why else "no such sample could be drawn",
    )


def _with_means(results: Sequence[Result]) -> Iterable[Result]:
    """Put the mean behind the last of several rows that share a bar, such as "clips: …"."""
    for number, result in enumerate(results):
        yield result
        group = result.task.partition(":")[0]
        own = [other for other in results if other.task.startswith(f"{group}:")]
        if len(own) > 1 and own[-1] is result and number:
            yield Result(
                task=f"{group}, all",
                metric=result.metric,
                value=mean(other.value for other in own),
                n=sum(other.n for other in own),
                bar=result.bar,
                parts={other.task: other.value for other in own},
            )


# What is measured of one answer


def _overlap(seen: Outcome) -> Overlap:
    return metrics.overlap(seen.marked(), seen.meant())


def _not_found(seen: Outcome) -> bool:
    return not seen.marked().any()


def _right(seen: Outcome) -> bool:
    assert seen.turn.answer is not None
    return metrics.exact_match(seen.reply.text, seen.turn.answer)


def _segments(seen: Outcome) -> tuple[Segments, Segments]:
    """Number what was found in a picture and what is there, each with its category."""
    names, draft = seen.sample.draft.phrases, seen.sample.draft
    ids = np.zeros(seen.truth.shape[2:], np.uint8)
    for number, mask in enumerate(seen.truth[0], start=1):
        ids[mask] = number
    truth = Segments(ids, {k: names[label] for k, label in enumerate(draft.labels, start=1)})
    if not seen.found:
        return Segments(np.zeros_like(ids), {}), truth
    found = seen.found[0]
    classes = {
        number: names[label]
        for number, label in zip(found.ids.tolist(), found.labels.tolist(), strict=True)
    }
    return Segments(found.paint(found.ids).cpu().numpy(), classes), truth


def _described(seen: Outcome) -> list[float]:
    """IoU of every phrase that should have been said with its own mask, whatever its words."""
    empty = np.zeros((0, *seen.truth.shape[2:]), bool)
    drawn = seen.found[0].masks.cpu().numpy() if seen.found else empty
    return metrics.matched_ious(drawn, seen.truth[0])


def _phrases(seen: Outcome) -> list[bool]:
    """Whether every phrase that should have been said was said."""
    said = {metrics.normalised(phrase.text) for phrase in seen.reply.phrases}
    return [metrics.normalised(phrase) in said for phrase in seen.sample.draft.phrases]


def _tracked(seen: Outcome) -> list[float]:
    """J&F of every phrase of a clip."""
    labels = range(len(seen.sample.draft.phrases))
    return [metrics.j_and_f(seen.marked(label), seen.meant(label)).jf for label in labels]


def _mean_of_all(lists: Iterable[list[float]]) -> float:
    return mean(value for values in lists for value in values)


# The evaluation


def _referring(task: str, draw: Draw, bar: float | None = None) -> Row:
    return Row(task=task, metric="gIoU", draw=draw, measure=_overlap, total=metrics.giou, bar=bar)


def _pointing(kind: RegionKind) -> Row:
    draw = Draw(families=("pointing",), region=kind)
    return Row(
        task=f"pointing: {kind}",
        metric="mIoU",
        draw=draw,
        measure=_overlap,
        total=metrics.giou,
        bar=0.85,
    )


def _asking(kind: str) -> Row:
    return Row(
        task=f"questions: {kind}",
        metric="exact match",
        draw=Draw(families=("chat",), asks=kind),
        measure=_right,
        total=mean,
        bar=0.85,
    )


def _clip(task: str, *families: str) -> Row:
    return Row(
        task=f"clips: {task}",
        metric="J&F",
        draw=Draw(families=families, source="clip"),
        measure=_tracked,
        total=_mean_of_all,
        bar=0.75,
    )


SEEN = Draw(families=PHRASES)
DESCRIBED = Draw(families=("describe",))
STYLE: Split = "unseen style"
NOUNS: Split = "unseen nouns"

ROWS: tuple[Row, ...] = (
    _referring("referring", SEEN, bar=0.80),
    _referring("referring, unseen style", Draw(families=PHRASES, split=STYLE), bar=0.65),
    _referring("referring, unseen nouns", Draw(families=PHRASES, split=NOUNS)),
    _referring("follow-ups", Draw(families=("dialogue",))),
    _referring("reasoning", Draw(families=("reason",)), bar=0.70),
    *(_pointing(kind) for kind in POINTERS),
    Row(
        task="categories",
        metric="PQ",
        draw=Draw(families=("categories",)),
        measure=_segments,
        total=lambda pairs: panoptic_quality(pairs).pq,
        bar=0.70,
    ),
    Row(
        task="described with masks",
        metric="mIoU",
        draw=DESCRIBED,
        measure=_described,
        total=_mean_of_all,
        bar=0.70,
    ),
    Row(
        task="described with masks",
        metric="phrases said",
        draw=DESCRIBED,
        measure=_phrases,
        total=_mean_of_all,
    ),
    Row(
        task="absent object",
        metric="says so",
        draw=Draw(families=("absence",)),
        measure=_not_found,
        total=mean,
        bar=0.90,
    ),
    Row(
        task="absent object",
        metric="false “not found”",
        draw=SEEN,
        measure=_not_found,
        total=mean,
        bar=0.05,
        at_most=True,
    ),
    *(_asking(kind) for kind in QUESTIONS),
    Row(
        task="“what is this?”, close",
        metric="exact match",
        draw=Draw(families=("close",)),
        measure=_right,
        total=mean,
    ),
    _clip("referring", "noun", "kind", "colour", "motion"),
    _clip("one object", "pointing"),
    _clip("all like this", "exemplars"),
    _referring("photos, noun", Draw(families=("noun",), source="photo"), bar=0.60),
    Row(
        task="photos, click",
        metric="mIoU",
        draw=Draw(families=("pointing",), source="photo", region="click"),
        measure=_overlap,
        total=metrics.giou,
        bar=0.65,
    ),
)
