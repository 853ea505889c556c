"""What the page asks of the server besides the model's work: one row for each thing.

Every answer is a dictionary with `ok`. Where it is False, `error` is a sentence for the person
at the screen; `expired` says that the workspace is gone. A row gets the workspace and what the
page sent, and returns what is added to the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from demo import takeaway, wire
from demo.examples import card, cards
from demo.requests import read
from demo.settings import Settings
from demo.source import EngineSource
from demo.turns import apologise
from demo.visitors import ClosedError, Visitors
from demo.workspace import Workspace
from demo.zero import Answer as Lent
from x2sam.errors import PromptError, X2SAMError
from x2sam.media.limits import MEGA, Limits
from x2sam.types import Media

Values = dict[str, Any]
Language = Literal["en", "zh"]
Action = Callable[[Workspace, Values], Values]

TRAINED: Final = {  # on what, by the name in the model's config and the language of the page
    "nano": {
        "en": "drawn scenes of emoji and a few thousand photos, in English only; "
        "photos are often too hard for it",
        "zh": "表情符号合成场景和数千张照片，仅限英文；真实照片对它来说往往太难",
    },
    "x2sam-4b": {
        "en": "public data sets of pictures and clips with masks",
        "zh": "带掩码的公开图像和视频数据集",
    },
}
UNKNOWN: Final = {"en": "what its makers say", "zh": "其作者所述的数据"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Where pages ask: who is here, the model, and what was settled when the page started."""

    settings: Settings
    source: EngineSource
    visitors: Visitors
    gpu: Lent | None = None  # that is lent for a request

    def hello(self, sent: Any) -> Values:
        """Welcome a page: a token of its own, what there is to know, and what it had open."""
        return _answered(lambda: self._welcome(_dictionary(sent)))

    def call(self, sent: Any) -> Values:
        """Do one of `ACTIONS`, by the `name` that was sent."""
        values = _dictionary(sent)

        def act() -> Values:
            workspace = self.visitors.find(values.get("token"))
            action = ACTIONS.get(str(values.get("name")))
            if action is None:
                raise PromptError(wire.NONSENSE)
            return action(workspace, values)

        return _answered(act)

    def _welcome(self, sent: Values) -> Values:
        kind: Media = "video" if sent.get("kind") == "video" else "image"
        language: Language = "zh" if sent.get("language") == "zh" else "en"
        limits = self.settings.limits
        token = self.visitors.back(sent.get("token"))
        back = {} if token is None else _state(self.visitors.find(token), {"whole": True})
        return {
            "token": token or self.visitors.enter(),
            "back": back if back.get("medium") else None,
            "limits": _sentence(limits, language),
            "bytes": limits.clip_bytes if kind == "video" else limits.picture_bytes,
            "idle_minutes": self.settings.idle_minutes,
            "model": self._model(language),
            "tracker": self._has_tracker(),
            "examples": [each.wire(language) for each in cards(kind)],
            "formats": _titled(takeaway.TITLES),
            "tasks": _titled(wire.TITLES),
        }

    def _has_tracker(self) -> bool:
        """Whether SAM 2 is there; where it is still being loaded, whether it was asked for."""
        if self.source.ready:
            return self.source.get().tracker is not None
        return self.settings.tracker is not None

    def _model(self, language: str) -> Values:
        """Say which model answers; where it is still being loaded, what was asked for."""
        facts = {"name": self.settings.model, "parameters": "", "precision": "", "device": ""}
        if self.source.ready:
            facts = self.source.get().facts()
        return {**facts, "trained": TRAINED.get(facts["name"], UNKNOWN)[language]}


def _sentence(limits: Limits, language: Language) -> str:
    """Say how large uploads may be."""
    if language == "en":
        return limits.sentence()
    many = 10_000  # the unit in which Chinese counts pixels
    return (
        f"图片不超过 {limits.picture_bytes / MEGA:g} MB、{limits.picture_pixels / many:g} 万像素；"
        f"视频不超过 {limits.clip_bytes / MEGA:g} MB、{limits.clip_seconds / 60:g} 分钟、"
        f"{limits.clip_frames} 帧、每帧 {limits.frame_pixels / many:g} 万像素。"
    )


def _dictionary(sent: Any) -> Values:
    return sent if isinstance(sent, dict) else {}


def _titled(titles: Mapping[str, str]) -> list[Values]:
    return [{"id": name, "title": title} for name, title in titles.items()]


def _answered(act: Callable[[], Values]) -> Values:
    """Never raise: Gradio would drop what is raised here without a word."""
    try:
        return {"ok": True, **act()}
    except ClosedError as error:
        return {"ok": False, "error": str(error), "expired": True}
    except X2SAMError as error:
        return {"ok": False, "error": str(error)}
    except Exception as error:  # noqa: BLE001 (the server lives on)
        return {"ok": False, "error": apologise(error)}


def opened(workspace: Workspace) -> Values:
    """What a page is told when something has been opened."""
    return {"medium": workspace.described(), "state": workspace.state()}


def _state(workspace: Workspace, values: Values) -> Values:
    return {
        "medium": workspace.described() if workspace.medium else None,
        "state": workspace.state(whole=bool(values.get("whole"))),
    }


def _open(workspace: Workspace, values: Values) -> Values:
    example = card(str(values.get("example")))
    if example is None:
        raise PromptError("There is no such example.")
    folder = workspace.new_folder()
    workspace.open(folder, example.medium, example.medium.name, example.kind)
    return opened(workspace)


def _masks(workspace: Workspace, values: Values) -> Values:
    first = wire.whole(values.get("first", values.get("frame")))
    last = wire.whole(values.get("last", first))
    return {"masks": workspace.masks(first, last)}


def _stop(workspace: Workspace, values: Values) -> Values:
    del values
    run = workspace.run
    if run is not None:
        run.stop()
    return {}


def _estimate(workspace: Workspace, values: Values) -> Values:
    medium = workspace.opened()
    if workspace.gpu is not None:
        raise PromptError("What a request takes is not known before a GPU is lent for it.")
    asked = read({**values, "kind": "ask"}, source=medium.size, display=medium.display)
    told = workspace.session().estimate(asked.text, asked.drawings, asked.task, asked.reach)
    return {"task": told.task, "reason": told.reason, **wire.estimated(told)}


def _proxy(workspace: Workspace, values: Values) -> Values:
    del values
    proxy = workspace.opened().proxy
    if proxy is None:
        return {"ready": False, "progress": 0, "failed": None}
    return {"ready": proxy.ready, "progress": round(proxy.progress, 3), "failed": proxy.error}


def _options(workspace: Workspace, values: Values) -> Values:
    changes: Values = {
        name: wire.whole(values[name])
        for name in ("frames", "stride")
        if values.get(name) is not None
    }
    if values.get("propagation") is not None:
        changes["propagation"] = str(values["propagation"])
    workspace.adjust(changes)
    session = workspace.session()
    told: Values = {name: getattr(session.options, name) for name in ("frames", "stride")}
    told["propagation"] = session.film.carried_by(session.options, len(session.shown))
    return {**opened(workspace), "options": told}


def _export(workspace: Workspace, values: Values) -> Values:
    formats, opacity = values.get("formats"), values.get("opacity", 0.45)
    effect = values.get("effect", "overlay")
    if not isinstance(formats, list) or not isinstance(opacity, int | float):
        raise PromptError(wire.NONSENSE)
    names = [str(name) for name in formats]
    labels = bool(values.get("labels", True))
    opacity = min(max(float(opacity), 0.0), 1.0)
    archive = workspace.export(names, opacity, labels=labels, effect=str(effect))
    address = workspace.url("files", archive.name)
    return {"url": address, "name": archive.name, "bytes": archive.stat().st_size}


def _keep(workspace: Workspace, values: Values) -> Values:
    """Make an object of what was proposed."""
    proposed, number = workspace.opened().proposed, wire.whole(values.get("segment"))
    if not 0 <= number < len(proposed):
        raise PromptError("This was found for another picture. Search again.")
    frame, segment = proposed[number]
    kept = workspace.session().keep(segment, frame)
    return {"object": kept.id, "state": workspace.state()}


def _undo(workspace: Workspace, values: Values) -> None:
    del values
    if not workspace.settled().undo():
        raise PromptError("There is nothing to undo.")


def _redo(workspace: Workspace, values: Values) -> None:
    del values
    if not workspace.settled().redo():
        raise PromptError("There is nothing to redo.")


def _rename(workspace: Workspace, values: Values) -> None:
    workspace.session().rename(wire.whole(values.get("object")), str(values.get("text", "")))


def _rewind(workspace: Workspace, values: Values) -> None:
    workspace.settled().rewind(wire.whole(values.get("turn")))


def _forget(workspace: Workspace, values: Values) -> None:
    del values
    workspace.settled().forget()


def _changed(change: Callable[[Workspace, Values], None]) -> Action:
    """Make a row of something that changes the list: the page gets the new one."""

    def act(workspace: Workspace, values: Values) -> Values:
        change(workspace, values)
        return {"state": workspace.state()}

    return act


def _on_objects(name: str) -> Action:
    """Make a row of a method of `Session` that takes numbers of objects."""

    def change(workspace: Workspace, values: Values) -> None:
        getattr(workspace.session(), name)(*wire.numbers(values.get("objects")))

    return _changed(change)


ACTIONS: Final[dict[str, Action]] = {
    "delete": _on_objects("delete"),
    "estimate": _estimate,
    "export": _export,
    "forget": _changed(_forget),
    "hide": _on_objects("hide"),
    "keep": _keep,
    "masks": _masks,
    "merge": _on_objects("merge"),
    "only": _on_objects("only"),
    "open": _open,
    "options": _options,
    "proxy": _proxy,
    "redo": _changed(_redo),
    "rename": _changed(_rename),
    "rewind": _changed(_rewind),
    "show": _on_objects("show"),
    "state": _state,
    "stop": _stop,
    "undo": _changed(_undo),
}
