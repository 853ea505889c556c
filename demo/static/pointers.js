/**
 * Mouse, pen and fingers on the stage.
 *
 * One pointer draws or drags; two fingers move and zoom, and what the first of them had begun is
 * given up. A finger makes its point when it leaves, so that the first finger of two makes none;
 * a mouse makes it when it presses.
 */

import { panned, zoomed } from "./geometry.js";
import { PICKING } from "./tools.js";

const STILL = 8; // CSS pixels that a finger may slip while it taps; a mouse half of it
const TURN = 0.0016; // of a wheel; a pinch on a trackpad arrives as a wheel with Ctrl
const PINCH = 0.01;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {any} stage `store`, `gestures`, `size()`, `picture(at)`, `scale()`, `pick(at)`, `point(at|null)`,
 *   `repaint()`; places are CSS pixels from the corner of the canvas
 * @param {AbortSignal} signal
 */
export function watchPointers(canvas, stage, signal) {
  const { store, gestures } = stage;
  /** Pointers that are down, by id. @type {Map<number, [number, number]>} */
  const down = new Map();
  /**
   * What the only pointer does.
   * @type {{what: "draw"|"pan"|"tap", from: [number, number], moved: boolean, negative: boolean}|null}
   */
  let doing = null;

  const at = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  };
  const look = (change) => {
    const { medium, view } = store.get();
    if (medium) store.set({ view: change(view, medium, stage.size()) });
  };

  function press(event) {
    const here = at(event);
    down.set(event.pointerId, here);
    canvas.setPointerCapture(event.pointerId);
    if (down.size > 1) {
      gestures.cancel();
      doing = null;
      stage.repaint();
      return;
    }
    const { tool, hand } = store.get();
    const negative = event.button === 2 || event.altKey || event.ctrlKey;
    doing = { what: "draw", from: here, moved: false, negative };
    if (event.button === 1 || hand) {
      doing.what = "pan";
      if (hand) store.set({ hand: "used" });
    } else if (PICKING.has(tool) || (tool === "point" && event.pointerType === "touch")) {
      doing.what = "tap";
    } else {
      gestures.begin(stage.picture(here), { scale: stage.scale(), negative });
    }
    stage.repaint();
  }

  function move(event) {
    const here = at(event);
    if (event.pointerType !== "touch") stage.point(here);
    const before = down.get(event.pointerId);
    if (!before) return;
    if (down.size === 2) pinch(event.pointerId, before, here);
    else if (doing) drag(event, before, here);
    down.set(event.pointerId, here);
  }

  function drag(event, before, here) {
    const still = event.pointerType === "touch" ? STILL : STILL / 2;
    if (Math.hypot(here[0] - doing.from[0], here[1] - doing.from[1]) > still) doing.moved = true;
    if (doing.what === "draw") {
      const path = event.getCoalescedEvents?.() ?? [];
      for (const each of path.length ? path : [event]) gestures.extend(stage.picture(at(each)));
      stage.repaint();
    } else if (doing.what === "pan" || doing.moved) {
      look((view, medium, size) => panned(view, medium, size, here[0] - before[0], here[1] - before[1]));
    }
  }

  /** Two fingers: the picture stays under both. */
  function pinch(moving, before, here) {
    const [, other] = [...down].find(([id]) => id !== moving);
    const apart = (a) => Math.max(8, Math.hypot(a[0] - other[0], a[1] - other[1]));
    const between = (a) => [(a[0] + other[0]) / 2, (a[1] + other[1]) / 2];
    look((view, medium, size) => zoomed(view, medium, size, apart(here) / apart(before), between(before), between(here)));
  }

  function release(event) {
    if (!down.delete(event.pointerId) || !doing) return;
    const { what, moved, negative, from } = doing;
    doing = null;
    if (what === "draw") gestures.finish();
    else if (what === "tap" && !moved) {
      if (PICKING.has(store.get().tool)) stage.pick(from);
      else gestures.begin(stage.picture(from), { scale: stage.scale(), negative });
    }
    stage.repaint();
  }

  /** The pointer is gone without a release: as if it had never pressed. */
  function lose(event) {
    if (!down.delete(event.pointerId)) return;
    doing = null;
    gestures.cancel();
    stage.repaint();
  }

  function wheel(event) {
    const { view } = store.get();
    const lines = event.deltaMode === 1 ? 33 : 1;
    const factor = Math.exp(-event.deltaY * lines * (event.ctrlKey ? PINCH : TURN));
    if (factor <= 1 && view.zoom <= 1 && !event.ctrlKey) return; // nothing to zoom out of: the page scrolls
    event.preventDefault();
    look((now, medium, size) => zoomed(now, medium, size, factor, at(event)));
  }

  canvas.addEventListener("pointerdown", press, { signal });
  canvas.addEventListener("pointermove", move, { signal });
  canvas.addEventListener("pointerup", release, { signal });
  canvas.addEventListener("pointercancel", lose, { signal });
  canvas.addEventListener("lostpointercapture", lose, { signal });
  canvas.addEventListener("pointerleave", () => stage.point(null), { signal });
  canvas.addEventListener("wheel", wheel, { signal, passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
  // The middle button would scroll by itself.
  canvas.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault(), { signal });
}
