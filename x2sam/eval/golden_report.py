"""How near is near enough: recorded tensor → group → tolerance, and the table of results.

One ordered table says what every recorded tensor is compared within, or why it is not
compared; a tensor that no row knows fails. Tolerances are those that the official code
reaches against itself: running it with another attention kernel and another number of
threads moves encoder features by 2e-5 and, through the hard threshold of masked attention,
masks of late frames by 4e-2.

    >>> import torch
    >>> report = Report()
    >>> report.compare("units/positional", "m2f_sine.8x8", torch.ones(2), torch.ones(2))
    >>> report.summary()
    'tensors: 1, groups: 1, files: 1 – all pass'
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Final

from torch import Tensor

EXACT: Final = 0.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What a group of tensors may differ by: the largest difference, and a tensor's mean."""

    pattern: str  # of "file:tensor"
    group: str
    largest: float
    mean: float = math.inf


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is not compared, and why; inputs are not worth a row."""

    pattern: str  # of "file:tensor"
    why: str


_INPUT: Final = "an input"
_UNUSED: Final = "an option the published model does not use"
_INNER: Final = "inside a function whose result is compared"

SKIPPED: Final = (
    Skipped(r"units/projector_connector:(connector|maybe_pad|pixel_shuffle\.r2)", _UNUSED),
    Skipped(r"units/projector_connector:.*\.in$", _INPUT),
    Skipped(r"units/sampler:(grid\.|a\.max|a\.mean_o)", _UNUSED),
    Skipped(r"units/sampler:(.*feats|.*points|masks)", _INPUT),
    Skipped(r"units/sam2_encoder:pixel_values", _INPUT),
    Skipped(r"units/pixel_decoder:(fpn|layer0\.self_attn\.(h|p|r)|core\.sampling)", _INPUT),
    Skipped(r"units/mask_decoder:(class_predictor_auto|layer0_prenorm|module_noseg)", _UNUSED),
    Skipped(r"units/mask_decoder:class_predictor\.out_clamped", "its input was not recorded"),
    Skipped(r"units/mask_decoder:(layer0|mask_predictor)\.(.*_w$|attn_mask)", _INNER),
    Skipped(r"units/mask_decoder:layer0\.(hidden|qpos|enc|token)", _INPUT),
    Skipped(r"units/mask_decoder:class_predictor\.(q|cond|embed_masks)$", _INPUT),
    Skipped(r"units/mask_decoder:(mask_predictor\.(in|pixel)$|module\.[^o])", _INPUT),
    Skipped(r"units/memory_encoder:no_(class|mask)_guidance", _UNUSED),
    Skipped(r"units/memory_encoder:((masked_)?class_logits|mask_logits|scale.\.in)$", _INPUT),
    Skipped(r"units/memory_attention:(.*(feat|memory|mem_pos)$|retrieve\.t)", _INPUT),
    Skipped(r"units/process_embeds:(pad|flat|flatpad)\.", _UNUSED),
    Skipped(r"units/process_embeds:(bg_embeds|pad_embeds|emb$|.*_in$)", _INPUT),
    Skipped(r"units/preprocess:.*longest", _UNUSED),
    Skipped(r"units/preprocess:.*mask_labels", "the same as visual prompts"),
    Skipped(r"units/loss:", "compared by the tests of training"),
    Skipped(r"units/postprocess:.*(cond|rle|binary|contig|idgen)", _UNUSED),
    Skipped(r"units/postprocess:img_int_t0\.9", "the official choice of a mask is arbitrary there"),
    Skipped(r"tasks/.*:sampler\.points", _INPUT),
)

TOLERANCES: Final = (
    Tolerance(r"units/positional:", "position codes", 1e-5),
    Tolerance(r"units/preprocess:.*(grid_thw|masks)", "grids and masks", EXACT),
    Tolerance(r"units/preprocess:", "pixels", 1e-5),
    Tolerance(r"units/(sampler|process_embeds):", "regions and conditions", 1e-5),
    Tolerance(r"units/postprocess:.*pixels$", "readings: share of pixels", 1e-3),
    Tolerance(r"units/postprocess:.*scores$", "readings: scores", 1e-3),
    Tolerance(r"units/", "one stage alone", 1e-4),
    Tolerance(r"tasks/..._shared:in\.", "pixels", 1e-5),
    Tolerance(r"tasks/..._shared:", "encoders", 1e-4),
    Tolerance(r"tasks/.*:in\.", "prompt", EXACT),
    Tolerance(r"tasks/.*:prepare\.inputs_embeds", "language model", 1e-4),
    Tolerance(r"tasks/.*:(prepare\.|gen\.sequences)", "prompt", EXACT),
    Tolerance(r"tasks/.*:(mlm_projector|gen\.logits)", "language model", 1e-4),
    Tolerance(r"tasks/.*:(sampler|vprompt)", "regions and conditions", 1e-4),
    Tolerance(r"tasks/.*:(process_embeds|decoder\.in)", "regions and conditions", 1e-4),
    Tolerance(r"tasks/.*:(memory_bank|.*n_mem_tokens)", "what is remembered", EXACT),
    Tolerance(r"tasks/.*:post\..*pixels$", "readings: share of pixels", 1e-3),
    Tolerance(r"tasks/.*:post\..*scores$", "readings: scores", 1e-3),
    Tolerance(r"tasks/img.*:(decoder|segmentor\.masks)", "mask logits", 1e-3),
    Tolerance(r"tasks/img.*:(memory\.|segmentor\.class)", "memory and class logits", 1e-3),
    Tolerance(r"tasks/vid.*:decoder", "mask logits", 1e-1, 1e-3),
    Tolerance(r"tasks/vid.*:(memory|segmentor\.class)", "memory and class logits", 2e-2, 1e-3),
)


@dataclass(slots=True)
class Row:
    """The worst of a file's group so far."""

    file: str
    tolerance: Tolerance
    tensors: int = 0
    largest: float = 0.0
    mean: float = 0.0
    worst: str = ""  # the tensor with the largest difference

    @property
    def passed(self) -> bool:
        """Whether every tensor is within the tolerance."""
        return self.largest <= self.tolerance.largest and self.mean <= self.tolerance.mean

    def __str__(self) -> str:
        limits = f"{self.tolerance.largest:.0e}" if self.tolerance.largest else "exact"
        if self.tolerance.mean < math.inf:
            limits += f", {self.tolerance.mean:.0e}"
        result = "pass" if self.passed else f"FAIL {self.worst}"
        return _line(
            self.file,
            self.tolerance.group,
            str(self.tensors),
            f"{self.largest:.1e}",
            f"{self.mean:.1e}",
            limits,
            result,
        )


@dataclass(slots=True)
class Report:
    """Comparisons, file by file and group by group."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    notes: dict[tuple[str, str], int] = field(default_factory=dict)  # (file, why) -> tensors

    @property
    def passed(self) -> bool:
        """Whether something was compared and nothing differs."""
        return bool(self.rows) and all(row.passed for row in self.rows.values())

    def file(self, file: str, ours: dict[str, Tensor], recorded: dict[str, Tensor]) -> None:
        """Compare all tensors of a file by name."""
        for name, value in recorded.items():
            why = why_skipped(file, name)
            if why is None:
                self.compare(file, name, ours.get(name), value)
            elif why != _INPUT:
                self.note(file, why)

    def compare(self, file: str, name: str, ours: Tensor | None, recorded: Tensor) -> None:
        """Compare one tensor; the layout may differ by axes of length one."""
        if ours is None or ours.numel() != recorded.numel():
            self.measure(file, name, math.inf)
            return
        difference = (ours.reshape(recorded.shape).double() - recorded.double()).abs()
        if difference.numel() == 0:
            self.measure(file, name, 0.0)
            return
        largest = float(difference.max().nan_to_num(math.inf))
        self.measure(file, name, largest, float(difference.mean()))

    def measure(self, file: str, name: str, largest: float, mean: float | None = None) -> None:
        """Enter a difference."""
        unknown = Tolerance("", "unknown tensor", -1.0)
        matching = (t for t in TOLERANCES if re.match(t.pattern, f"{file}:{name}"))
        tolerance = next(matching, unknown)
        row = self.rows.setdefault((file, tolerance.group), Row(file, tolerance))
        row.tensors += 1
        row.mean = max(row.mean, largest if mean is None else mean)
        if largest > row.largest or not row.worst:
            row.largest, row.worst = largest, name

    def note(self, file: str, why: str) -> None:
        """Remember that something was not compared."""
        self.notes[file, why] = self.notes.get((file, why), 0) + 1

    def table(self) -> str:
        """Write all rows, then what was not compared, for people to read."""
        lines = [_line("file", "group", "tensors", "max", "mean", "limits", "result")]
        lines += [str(row) for row in self.rows.values()]
        lines += [
            f"{file:<26} not compared, {count} tensors: {why}"
            for (file, why), count in self.notes.items()
        ]
        return "\n".join(lines)

    def summary(self) -> str:
        """One line for the end."""
        failed = sum(not row.passed for row in self.rows.values())
        tensors = sum(row.tensors for row in self.rows.values())
        verdict = f"{failed} groups FAIL" if failed else "all pass" if self.rows else "nothing here"
        return f"tensors: {tensors}, groups: {len(self.rows)}, files: {self.files} – {verdict}"

    @property
    def files(self) -> int:
        """How many files something was compared of."""
        return len({file for file, _ in self.rows})


def why_skipped(file: str, name: str) -> str | None:
    """Say why a recorded tensor is not compared, if it is not."""
    return next((s.why for s in SKIPPED if re.match(s.pattern, f"{file}:{name}")), None)


def _line(file: str, group: str, count: str, *rest: str) -> str:
    numbers = "".join(f"{value:>10}" for value in rest[:2])
    words = "".join(f"   {value:<14}" for value in rest[2:])
    return f"{file:<26} {group:<28}{count:>8}{numbers}{words}".rstrip()
