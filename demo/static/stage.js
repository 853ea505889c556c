/**
 * The stage: one canvas with the frame, the masks on it, and the marks one makes.
 *
 * Frame and masks are painted in one go, so that they never part: a frame that is still on its way
 * leaves the old one standing together with its own masks. Painting happens once per screen refresh,
 * and only if something has changed; while a clip plays, exactly when the player shows a frame.
 */

import { watchCrosshair } from "./crosshair.js";
import { createEffects, effectOf } from "./effects.js";
import { element } from "./element.js";
import { paintProposed, proposedAt, TOOL } from "./everything.js";
import { placed, settled, toPicture, toScreen, WHOLE } from "./geometry.js";
import { marksOf } from "./marks.js";
import { paintBrush, paintCrosshair, paintMarks, paintMasks, paintNames } from "./painting.js";
import { watchPointers } from "./pointers.js";
import { createGestures, nameOf, prepare } from "./tools.js";

const PIXELS = 4; // from this many device pixels to a pixel on, pixels are shown as squares
const PAINTED = [
  ["view", "playing", "objects", "maskVersion", "selected", "hovered", "solo", "look"],
  ["marks", "drawings", "crosshair", "tool", "brush", "hand", "proposed", "pointed"],
].flat();

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {import("./masks.js").MaskCache} masks
 * @param {any} actions `actions.frames` is what the frames are drawn by
 * @param {(key: string, ...args: any[]) => string} t
 */
export function mountStage(root, store, masks, actions, t) {
  prepare(store);
  const life = new AbortController();
  const { signal } = life;
  const canvas = element("canvas", { class: "x-canvas" });
  const tip = element("div", { class: "x-tip", hidden: true });
  const id = `x-stage-help-${Math.random().toString(36).slice(2)}`;
  const help = element("p", { class: "x-unseen", id }, t("stage.help"));
  const status = element("p", { class: "x-unseen x-said", role: "status", "aria-live": "polite" });
  const named = { role: "application", "aria-label": t("stage.label"), "aria-describedby": help.id };
  const view = element("div", { class: "x-stage", tabindex: "0", ...named }, canvas, tip);
  root.append(view, help, status);

  const ctx = canvas.getContext("2d");
  const layer = document.createElement("canvas"); // the frame that stands, at display size
  let size = { width: 0, height: 0 };
  const withEffect = createEffects();
  let shown = null; // its number
  let taken = 0; // how often another frame was painted on the layer
  let pointer = null; // where the mouse is, CSS pixels
  let pending = 0;

  const place = () => placed(store.get().view, store.get().medium, size);
  const gestures = createGestures(store, actions, say, t);

  function say(text) {
    // The same words twice are two messages: a space makes them different.
    status.textContent = status.textContent === text ? `${text}\u00a0` : text;
  }

  function repaint() {
    pending ||= requestAnimationFrame(paint);
  }

  /** Take over the frame that should be seen, if it is there; otherwise when it comes. */
  function takeFrame(again = true) {
    const { medium, frame } = store.get();
    const { frames } = actions;
    if (!medium || !frames) return;
    if (frames.draw(layer.getContext("2d"), frame, medium.width, medium.height)) {
      shown = frame;
      taken += 1;
      view.dataset.shown = String(frame);
      return;
    }
    if (!again) return;
    const still = () => !signal.aborted && store.get().medium === medium && store.get().frame === frame;
    const come = () => {
      if (!still()) return;
      takeFrame(false);
      repaint();
    };
    frames.ready(frame).then(come, (error) => still() && actions.notice(error.message, "error"));
  }

  /** The objects to be seen on the frame that stands, with their shapes. */
  function seen({ objects }) {
    const found = [];
    for (const { id, name, colour, shown: visible } of objects) {
      const mask = visible === false || shown === null ? null : masks.get(id, shown);
      if (mask) found.push({ id, name, colour, shape: mask.shape() });
    }
    return found;
  }

  function fitCanvas() {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    return width / size.width;
  }

  function paint() {
    cancelAnimationFrame(pending);
    pending = 0;
    const state = store.get();
    const { medium } = state;
    if (!size.width || !size.height) return;
    const ratio = fitCanvas();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    if (!medium) return;
    const where = place();
    const objects = seen(state);
    const last = ({ id }) => (id === state.hovered ? 2 : id === state.selected ? 1 : 0);
    ctx.setTransform(ratio * where.scale, 0, 0, ratio * where.scale, ratio * where.x, ratio * where.y);
    ctx.imageSmoothingEnabled = where.scale * ratio < PIXELS;
    ctx.imageSmoothingQuality = state.playing ? "low" : "high";
    if (shown !== null) ctx.drawImage(withEffect(layer, taken, objects, state), 0, 0);
    paintMasks(ctx, [...objects].sort((a, b) => last(a) - last(b)), state, where.scale);
    paintProposed(ctx, state, where.scale);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const { plates } = effectOf(state.look);
    if (plates === "numbers" || (plates && state.look.labels)) paintNames(ctx, objects, state, where, size);
    const draft = gestures.draft();
    const marks = [...state.marks, ...state.drawings].filter((mark) => mark.frame === shown);
    paintMarks(ctx, draft ? [...marks, draft] : marks, medium, where);
    const brush = state.tool === "scribble" || state.tool === "erase";
    if (state.crosshair) paintCrosshair(ctx, toScreen(where, state.crosshair));
    if (brush && !state.hand && (pointer || state.crosshair)) {
      paintBrush(ctx, pointer ?? toScreen(where, state.crosshair), state.brush);
    }
    view.dataset.zoom = settled(state.view, medium, size).zoom.toFixed(2);
  }

  /** The smallest object at a place of the picture, as a small one lies on a large one. */
  function objectAt(at) {
    const hit = seen(store.get()).filter(({ shape }) => shape.at(...at));
    return hit.reduce((least, each) => (least && least.shape.area <= each.shape.area ? least : each), null);
  }

  /** What may be kept at a place of the picture; it has no name yet, and says how good it is. */
  function proposalAt(at) {
    const found = proposedAt(store.get(), at);
    return found && { ...found, name: t("everything.score", Math.round(100 * found.score)), colour: "#ffffff" };
  }

  /** The mouse has moved, or left: its object glows and says its name. */
  function point(at) {
    pointer = at;
    const { medium, hovered, tool } = store.get();
    const there = at && medium && !gestures.active() ? toPicture(place(), at) : null;
    const found = there && (tool === TOOL ? proposalAt(there) : objectAt(there));
    store.set({ pointed: found?.segment ?? null });
    if (hovered !== (found?.id ?? null)) actions.hover(found?.id ?? null);
    tip.hidden = !found;
    view.classList.toggle("x-over-mask", Boolean(found));
    if (found) {
      tip.textContent = found.name;
      tip.style.setProperty("--x-colour", found.colour);
      const left = at[0] + 16 + tip.offsetWidth > size.width ? at[0] - tip.offsetWidth - 12 : at[0] + 16;
      tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.min(at[1] + 14, size.height - tip.offsetHeight)}px)`;
    }
    repaint();
  }

  function pick(at) {
    if (store.get().tool === TOOL) {
      const proposal = proposalAt(toPicture(place(), at));
      if (proposal) actions.keep(proposal.segment);
      say(proposal ? t("everything.kept", proposal.name) : t("stage.said.nothing"));
      return;
    }
    const found = objectAt(toPicture(place(), at));
    actions.select(found?.id ?? null);
    say(found ? t("stage.said.selected", found.name) : t("stage.said.nothing"));
  }

  const hands = {
    store,
    gestures,
    repaint,
    pick,
    point,
    say,
    t,
    size: () => size,
    scale: () => place().scale,
    picture: (at) => toPicture(place(), at),
    screen: (at) => toScreen(place(), at),
  };
  watchPointers(canvas, hands, signal);
  watchCrosshair(view, hands, signal);

  const resized = new ResizeObserver(() => {
    size = { width: canvas.clientWidth, height: canvas.clientHeight };
    paint(); // at once: a canvas of another size is empty
  });
  resized.observe(canvas);

  /** Another picture or clip. */
  function opened() {
    const { medium } = store.get();
    shown = null;
    gestures.cancel();
    delete view.dataset.shown;
    store.set({ view: WHOLE, crosshair: null, marks: [], undone: [] });
    if (!medium) return;
    layer.width = medium.width;
    layer.height = medium.height;
    view.style.setProperty("--x-ratio", `${medium.width} / ${medium.height}`);
    takeFrame();
    repaint();
  }

  /** Marks that were sent are seen as long as their object is selected and their frame is shown. */
  function keepMarks({ marks, selected, frame }) {
    const kept = marksOf(marks, selected, frame);
    if (kept.length < marks.length) store.set({ marks: kept, undone: [] });
  }

  const versions = new Map();
  function tellMasks(state) {
    for (const { id, version, area } of state.objects) {
      if (id === state.selected && versions.has(id) && versions.get(id) !== version) {
        const percent = area < 0.01 ? "< 1" : String(Math.round(100 * area));
        say(t("stage.said.mask", nameOf(state, id), percent));
      }
      versions.set(id, version);
    }
  }

  const offs = [
    store.on(["medium"], opened),
    store.on(["frame"], ({ playing }) => {
      gestures.cancel();
      takeFrame();
      if (playing) paint();
      else repaint();
    }),
    store.on(["selected", "frame"], keepMarks),
    store.on(["objects", "selected"], tellMasks),
    store.on(["tool"], () => gestures.cancel()),
    store.on(PAINTED, repaint),
    store.on(["tool", "hand"], showTool),
    store.on(["crosshair"], ({ crosshair }) => crosshair && view.focus({ preventScroll: true })),
  ];
  function showTool({ tool, hand }) {
    view.dataset.tool = tool;
    view.classList.toggle("x-hand", hand !== null);
  }
  showTool(store.get());
  if (store.get().medium) opened();

  return {
    destroy() {
      life.abort();
      resized.disconnect();
      cancelAnimationFrame(pending);
      offs.forEach((off) => off());
      root.replaceChildren();
    },
  };
}
