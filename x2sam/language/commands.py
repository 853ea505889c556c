"""What people want done to the list of objects: delete, rename, show, hide, merge, undo.

Such a request needs no model. `command` goes through a table; the first row whose words match
and whose objects are in the list decides.

    >>> from x2sam.types import ListedObject
    >>> pets = (ListedObject(1, "dog"), ListedObject(2, "cat", mentioned=1))
    >>> order = command("rename the second to Tom", pets)
    >>> order.action, order.objects, order.name
    ('rename', (2,), 'Tom')
    >>> command("the cat on the sofa", pets)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from x2sam.errors import PromptError
from x2sam.language.names import every
from x2sam.language.references import Ids, Objects, resolve
from x2sam.language.said import pattern
from x2sam.types import Action, Command

_CHANGED: Final = "the list can be changed without looking"
_KNOWN: Final = "an object of the list → no need to look for it"
_THAT: Final = (
    r"it|this|that|(?:this|that) (?:one|object)|object \d+|number \d+|#\d+"
    r"|the (?:\w+ )?(?:one|object)|the (?:first|second|third|fourth|fifth|last)"
)


_SEVERAL: Final = re.compile(
    r"\b(?:all|both|every\w*|them|they|those|these|others|ones|rest|and|except|but)\b|[,、和与都们些除]"
    r"|所有|全部|一切|其[他它余]|两个",
    re.IGNORECASE,
)
_THIS: Final = pattern(_THAT, r"[它这那][个只条辆位]?|them|those|these", whole=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One kind of order; the group `what` says to which objects, `name` the new name."""

    action: Action
    words: re.Pattern[str]
    reason: str = _CHANGED
    by_name: bool = True  # "the dog" means the objects of that name
    strict: bool = False  # beyond doubt an order, so objects that are not there are a mistake


ROWS: Final = (
    Row(
        action="undo",
        words=pattern(
            r"undo(?: (?:that|it|this|the last (?:step|change|one|thing|action)))?|ctrl ?[+-]? ?z"
            r"|take (?:that|it) back|revert(?: (?:that|it|this))?|撤销|撤回|撤消|取消上一步|回退"
            r"|上一步|(?:撤销|撤回)(?:上一步|一下|刚才的操作)",
            whole=True,
        ),
    ),
    Row(
        action="redo",
        words=pattern(
            r"redo(?: (?:that|it|this))?|ctrl ?[+-]? ?y|重做|恢复(?:上一步)?", whole=True
        ),
    ),
    Row(
        action="show",
        words=pattern(
            r"(?:show|display|unhide|bring back|restore) (?P<what>everything|all|them all"
            r"|all of them|all (?:the )?(?:objects|masks))(?: again)?",
            r"(?:重新|再)?(?:显示|展示)(?P<zwhat>全部|所有|一切)(?:的?(?:物体|对象|东西|掩码))?",
            whole=True,
        ),
    ),
    Row(
        action="show",
        words=pattern(
            r"show (?P<what>.+) again",
            r"(?:unhide|bring back) (?P<what2>.+)",
            r"(?:重新|再)显示(?P<zwhat>.+)",
            whole=True,
        ),
        strict=True,
    ),
    Row(
        action="hide",
        words=pattern(
            r"hide (?P<what>.+)|(?:don't|do not) show (?P<what2>.+)",
            r"(?:隐藏|不显示|藏起)(?P<zwhat>.+)|(?:[把将]|(?=除))(?P<zwhat2>.+?)都?(?:隐藏|藏起来)(?:起来)?",
            whole=True,
        ),
        strict=True,
    ),
    Row(
        action="rename",
        words=pattern(
            r"(?:rename|relabel|change the name of) (?P<what>.+?) (?:to|as|into) (?P<name>.+)",
            r"[把将]?(?P<zwhat>.+?)的?(?:名字)?(?:重命名|改名|命名|改叫)[为成做叫]?(?P<zname>.+)",
            whole=True,
        ),
        strict=True,
    ),
    Row(
        action="rename",
        words=pattern(
            rf"(?:call|name|label) (?P<what>{_THAT}) (?P<name>.+)",
            r"[把将]?(?P<zwhat>.+?)(?:叫做|叫作|叫成|称为)(?P<zname>.+)",
            whole=True,
        ),
    ),
    Row(
        action="merge",
        words=pattern(
            r"(?:merge|combine|join|unite) (?P<what>.+?)(?: together| into one)?",
            r"合并(?P<zwhat>.+)|[把将](?P<zwhat2>.+?)合并(?:起来|在一起|成一个)?",
            whole=True,
        ),
    ),
    Row(
        action="select",
        words=pattern(
            rf"(?:no,? )?not (?:{_THAT})[,;]?(?: but)? (?P<what>the .+)",
            r"不是(?:这|那)[个只条辆位][,;]?(?:而)?是?(?P<zwhat>.+)",
            whole=True,
        ),
        by_name=False,
        reason=_KNOWN,
    ),
    Row(
        action="delete",
        words=pattern(
            r"(?:delete|remove|erase|discard|get rid of)(?: (?P<what>.+))?",
            rf"(?:no,? )?(?:not|forget|drop|clear) (?P<what2>{_THAT}|all|everything)",
            r"(?:删除|删掉|删了|去掉|移除|清除)(?P<zwhat>.*)",
            r"[把将](?P<zwhat2>.+?)(?:都|全)?(?:删除|删掉|删了|去掉|移除|清除)掉?",
            r"(?:不是|不要)(?P<zwhat3>.+)",
            whole=True,
        ),
        strict=True,
    ),
    Row(
        action="only",
        words=pattern(
            r"(?:(?:show|keep|leave|display|see|i want) )?(?:me )?(?:only|just|nothing but) "
            r"(?P<what>.+)",
            r"(?:solo|keep|isolate) (?P<what2>.+)",
            r"(?:现在)?(?:只|仅)(?:要|看|留下|保留|留|显示|剩|需要|想看)?(?P<zwhat>.+)",
            whole=True,
        ),
        reason="only objects of the list → the others are hidden",
    ),
    Row(
        action="select",
        words=pattern(r"(?!all\b|every|全部|所有|一切)(?P<what>.+)", whole=True),
        by_name=False,
        reason=_KNOWN,
    ),
)


def command(words: str, objects: Objects, pointed: Ids = ()) -> Command | None:
    """Understand an order about the list; None if the words are none.

    Args:
        words: the request without courtesies.
        objects: the list.
        pointed: ids of objects that were marked; "this" and "it" mean these.

    Raises:
        PromptError: an order beyond doubt, about objects that are not there, or about one of
            several of the same name.
    """
    for row in ROWS:
        found = row.words.match(words)
        if not found:
            continue
        what = _group(found, "what")
        if row.action in {"undo", "redo"}:
            return Command(action=row.action, reason=row.reason)
        ids = _meant(what, objects, pointed, by_name=row.by_name)
        if ids and row.strict and _vague(what, ids):
            raise PromptError(
                f"{len(ids)} objects are called so. Say which, for instance “the second one”, "
                f"or “all”."
            )
        if ids and not (row.action == "merge" and len(ids) == 1):
            return Command(
                action=row.action, reason=row.reason, objects=ids, name=_group(found, "name")
            )
        if row.strict and objects and not _negation(words):
            raise PromptError(
                f"There is no object “{what[:60]}” in the list to {row.action}. The list has: "
                f"{', '.join(each.name[:40] for each in objects[:10])}."
            )
        if row.strict and not _negation(words):
            raise PromptError(
                f"There is no object yet to {row.action}. Say what to look for, or draw on it."
            )
    return None


def _meant(what: str, objects: Objects, pointed: Ids, *, by_name: bool) -> Ids:
    if pointed and (not what or _THIS.match(what)):
        return pointed
    return resolve(what or "it", objects, by_name=by_name)


def _vague(what: str, ids: Ids) -> bool:
    """Tell "the dog", when there are several, from "the dogs"."""
    return len(ids) > 1 and not every(what) and not _SEVERAL.search(what)


def _group(found: re.Match[str], name: str) -> str:
    """Read the group of that name from whichever alternative matched."""
    groups = found.groupdict()
    return next((v.strip(" \"'“”") for k, v in groups.items() if v and k.strip("z23") == name), "")


def _negation(words: str) -> bool:
    """Tell whether an order may just as well be said of what is to be found."""
    return re.match(r"(?:no,? )?not |不", words, re.IGNORECASE) is not None
