"""A network that can be asked: frames and words in, words and masks out.

What is expensive is done once. A `View` holds what the language model saw and the keys and
values of the conversation so far; a further question about the same view only runs what is
new. Nothing here belongs to a user, a file or a page: that is the engine's.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from x2sam.language.encoding import Encoded, VisualGrid, encode_chat, encode_ids
from x2sam.language.prompts import Turn
from x2sam.language.replies import Reply, read
from x2sam.language.tokens import IGNORED, REGION, VISUAL, Vocabulary
from x2sam.language.wordings import Media
from x2sam.model.conditions import Conditions
from x2sam.model.key_values import KeyValues
from x2sam.model.language_model import Sampling, Visual
from x2sam.model.mask_encoder import Features
from x2sam.model.pixels import Patches, Pixels, clip_patches, image_patches, square_masks, squares
from x2sam.model.prediction import Prediction, Sizes
from x2sam.model.x2sam import X2SAM, Decoded


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A region that the user marked."""

    mask: np.ndarray  # (H, W) bool
    features: Features | Decoded  # of the one frame it was drawn on


@dataclass(slots=True, eq=False)
class View:
    """What the language model saw of a picture or clip, and what was said about it."""

    media: Media
    visual: Visual
    grid: VisualGrid
    times: Sequence[float] | None = None  # of the temporal patches, in seconds
    ids: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))  # what the cache holds
    drawings: Sequence[Drawing] = ()  # behind the region tokens among them
    cache: KeyValues | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the model answered, and what its masks are of."""

    text: str  # as generated, tags included
    reply: Reply
    conditions: Conditions | None  # None: the model wants no mask


class Predictor:
    """A loaded network with its vocabulary."""

    def __init__(self, model: X2SAM, vocabulary: Vocabulary) -> None:
        self.model = model.eval()
        self.vocabulary = vocabulary
        weight = next(model.parameters())
        self.device, self.dtype = weight.device, weight.dtype

    @torch.inference_mode()
    def look(
        self,
        frames: Pixels,
        media: Media,
        times: Sequence[float] | None = None,
        sparse: Pixels | None = None,
    ) -> View:
        """Show the language model a picture (1, H, W, 3) or frames of a clip (T, H, W, 3).

        Args:
            frames: what is shown in full.
            media: what it is taken for.
            times: seconds of a clip's temporal patches; None numbers them, as the segmentation
                tasks were trained.
            sparse: more frames of the clip (S, H, W, 3). Of each temporal patch the mean token
                is shown, before all frames, as in VideoLISA (arXiv 2409.19603, section 3.2);
                there every frame is encoded by itself and at full size, while two make a patch
                here and all share the pixels of one clip.
        """
        vision = self.model.config.vision
        if media == "image":
            return View(media, *self._see(image_patches(frames[0], vision, self.device)), times)
        visual, grid = self._see(clip_patches(frames, vision, self.device))
        if sparse is not None:
            others, patches = self._see(clip_patches(sparse, vision, self.device))
            visual = Visual.join([others.means(patches.t), visual])
            grid = replace(grid, means=patches.t)
        return View(media, visual, grid, times)

    @torch.inference_mode()
    def features(self, frames: Pixels) -> Features:
        """Show the mask encoder frames (T, H, W, 3)."""
        pixels = squares(frames, self.model.config.mask_encoder.image_size, self.device)
        features: Features = self.model.mask_encoder(pixels.to(self.dtype))
        return features

    @torch.inference_mode()
    def decode(self, features: Features, *, first: bool) -> Decoded:
        """Do once what `segment` does with features whatever it is asked; see `X2SAM.decode`."""
        return self.model.decode(features, first=first)

    def ask(
        self,
        view: View,
        turns: Sequence[Turn],
        *,
        drawings: Sequence[Drawing] = (),
        sampling: Sampling | None = None,
        limit: int = 512,
        forced: str | None = None,
    ) -> Generator[int, None, Reading]:
        """Answer the last of the turns; yields token ids as they come, returns the reading.

        Closing the generator early leaves the view as useful as before.

        Args:
            view: what is asked about. Its cache moves on to this conversation.
            turns: the conversation; the last turn has no answer yet.
            drawings: what the user marked, for all turns, in order.
            sampling: how tokens are chosen; the likeliest by default.
            limit: the most tokens to write.
            forced: an answer to be read, at once, as if the model had written it.

        Raises:
            PromptError: a region is empty.
        """
        prompt = encode_chat(
            turns,
            self.vocabulary,
            view.media,
            grid=view.grid,
            times=view.times,
            region_tokens=self.model.config.regions.tokens,
        )
        with torch.inference_mode():
            states, start = self._prefill(view, prompt, drawings)
        cache = view.cache
        assert cache is not None
        written: list[int] = []
        collected = [states]
        stop = frozenset({self.vocabulary.eos, self.vocabulary.end_of_text})
        tokens = (
            self.model.language.generate(
                states[:, -1:], cache, stop=stop, limit=limit, sampling=sampling
            )
            if forced is None
            else self._given([*self.vocabulary.encode(forced), self.vocabulary.eos], cache)
        )
        while True:
            with torch.inference_mode():
                token, state = next(tokens, (None, None))
            if token is None:
                break
            written.append(token)
            if state is not None:
                collected.append(state)
                view.ids = np.append(view.ids, token)
            if token not in stop:
                yield token
        answer = encode_ids(written, self.vocabulary)
        text = self.vocabulary.decode([token for token in written if token not in stop])
        with torch.inference_mode():
            conditions = self._conditions(torch.cat(collected, 1), prompt, start, answer)
        return Reading(text, read(text), conditions)

    @torch.inference_mode()
    def segment(
        self,
        conditions: Conditions,
        frames: Iterable[tuple[Features | Decoded, tuple[int, int]]],
    ) -> Iterator[Prediction]:
        """Segment frame after frame through the mask memory.

        Args:
            conditions: what to look for.
            frames: features of each frame, decoded already or not, and its height and width.
        """
        stream = self.model.stream(conditions)
        side = self.model.config.mask_encoder.image_size
        for features, size in frames:
            logits = stream.step(features)[-1]
            yield Prediction.from_logits(
                logits.class_logits[0],
                logits.mask_logits[0],
                Sizes.squashed(side, size),
                logits.queries[0],
            )

    def _see(self, patches: Patches) -> tuple[Visual, VisualGrid]:
        values = patches.values.to(self.device, self.dtype)
        return self.model.language.see(values, patches.grids), patches.grid

    def _prefill(
        self, view: View, prompt: Encoded, drawings: Sequence[Drawing]
    ) -> tuple[Tensor, int]:
        """Run what the cache does not hold yet: its states, and where they start."""
        language = self.model.language
        size = self.model.config.regions.tokens
        places = int((prompt.ids == REGION).sum())
        assert places == size * len(drawings), f"{len(drawings)} drawings for {places} tokens"
        start = _reusable(view, prompt, drawings)
        held = int((prompt.ids[:start] == REGION).sum()) // size
        tokens = [self._region(drawing) for drawing in drawings[held:]]
        if view.cache is None or start == 0:
            view.cache = language.new_cache()
        view.cache.shorten(start)
        view.ids = prompt.ids[:start]  # all that is left, should the next lines fail
        ids = torch.from_numpy(prompt.ids[start:])[None].to(self.device)
        embeds, deepstack = language.embed(
            ids, view.visual if start == 0 else None, torch.cat(tokens) if tokens else None
        )
        states = language.run(embeds, deepstack, view.cache)
        view.ids, view.drawings = prompt.ids, tuple(drawings)
        return states, start

    def _given(self, ids: Sequence[int], cache: KeyValues) -> Iterator[tuple[int, Tensor | None]]:
        """Read an answer that is known: what `LanguageModel.generate` yields, in one step."""
        language = self.model.language
        embeds, deepstack = language.embed(torch.tensor([ids[:-1]], device=self.device))
        states = language.run(embeds, deepstack, cache)
        yield from zip(ids, (*states.split(1, dim=1), None), strict=True)

    def _region(self, drawing: Drawing) -> Tensor:
        masks = square_masks(drawing.mask[None], self.model.config.mask_encoder.image_size)
        return self.model.region_tokens(drawing.features, masks)[0]  # (tokens, D)

    def _conditions(
        self, states: Tensor, prompt: Encoded, start: int, answer: Encoded
    ) -> Conditions | None:
        """Collect what to look for; phrases of the answer replace those of the question."""
        if answer.seg_count == 0:
            return None
        asked = prompt.phrases.copy()
        asked[: _last_turn(prompt)] = -1
        asked = asked[start:]
        named = asked[asked >= 0]
        asked = np.where(asked >= 0, asked - named.min(initial=len(asked)), -1)
        phrases = np.concatenate(
            [np.full_like(asked, -1) if answer.phrase_count else asked, answer.phrases]
        )[: states.shape[1]]
        if phrases.max() < 0:
            return None
        segs = np.concatenate([np.full_like(asked, -1), answer.segs])[: states.shape[1]]
        if segs.max() < 0:  # the limit cut the answer at its <SEG>, which was never read
            return None
        return self.model.conditions(
            states, torch.from_numpy(phrases)[None], torch.from_numpy(segs)[None]
        )


def _last_turn(prompt: Encoded) -> int:
    """Where the question begins that is still to be answered: behind the last answer."""
    answers = np.flatnonzero(prompt.labels != IGNORED)
    return int(answers[-1]) + 1 if len(answers) else 0


def _reusable(view: View, prompt: Encoded, drawings: Sequence[Drawing]) -> int:
    """How many tokens of the prompt need not be run again.

    At most up to the phrases of the last turn, whose states are wanted. Regions look alike as
    ids, so their drawings are compared; visual tokens are held whole or not at all.
    """
    ids = prompt.ids
    shared = min(len(view.ids), len(ids) - 1)
    differs = np.flatnonzero(view.ids[:shared] != ids[:shared])
    limits = [shared, *differs[:1]]
    phrases = np.flatnonzero(prompt.phrases >= 0)
    limits += [*phrases[phrases >= _last_turn(prompt)][:1]]
    regions = np.flatnonzero((ids == REGION) & (np.roll(ids, 1) != REGION))  # first token of each
    same = [
        old.mask is new.mask and old.features is new.features
        for old, new in zip(view.drawings, drawings, strict=False)
    ]
    changed = same.index(False) if False in same else len(same)
    limits += [*regions[changed:][:1]]
    limit = int(min(limits))
    visual = np.flatnonzero(ids == VISUAL)
    return limit if len(visual) == 0 or limit > visual[-1] else 0
