/**
 * The stage without a pointer: a cursor that the arrow keys move and Enter presses.
 *
 * `X` shows and hides it (see shortcuts.js). On a picture that is not zoomed, an arrow on the
 * focused stage shows it as well. Tools that need a way, such as the box, begin with one Enter and
 * end with the next.
 */

import { clamp, revealed } from "./geometry.js";
import { PICKING } from "./tools.js";

export const ARROWS = Object.freeze({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] });
const LEAP = 10; // display pixels, with Shift
const BEGINS = { b: "box", s: "scribble" }; // take the tool and begin where the cursor is

/**
 * @param {HTMLElement} view has the focus
 * @param {any} stage see pointers.js
 * @param {AbortSignal} signal
 */
export function watchCrosshair(view, stage, signal) {
  const { store, gestures, say, t } = stage;

  /** Where the middle of the stage is on the picture. */
  function show() {
    const { medium } = store.get();
    const { width, height } = stage.size();
    const [x, y] = stage.picture([width / 2, height / 2]);
    const middle = (at, size) => clamp(Math.floor(at), 0, size - 1) + 0.5;
    store.set({ crosshair: [middle(x, medium.width), middle(y, medium.height)] });
    say(t("stage.said.crosshair"));
  }

  function move([dx, dy], by) {
    const { crosshair, medium, view: seen } = store.get();
    const [x, y] = crosshair;
    const to = [clamp(x + dx * by, 0.5, medium.width - 0.5), clamp(y + dy * by, 0.5, medium.height - 0.5)];
    gestures.extend(to);
    store.set({ crosshair: to, view: revealed(seen, medium, stage.size(), to) });
  }

  function press(how = {}) {
    const { crosshair, tool } = store.get();
    if (gestures.active()) gestures.finish();
    else if (PICKING.has(tool) && !how.tool && !how.negative) stage.pick(stage.screen(crosshair));
    else {
      gestures.begin(crosshair, { scale: stage.scale(), ...how });
      if (gestures.active()) say(t("stage.said.begun"));
    }
    stage.repaint();
  }

  /** What a key does while the cursor is shown; nothing for keys of others. */
  function keyed(event) {
    const { key } = event;
    if (ARROWS[key]) return () => move(ARROWS[key], event.shiftKey ? LEAP : 1);
    if (key === "Enter") return () => press();
    if (key === "Backspace") return () => press({ tool: "point", negative: true });
    if (key === "Escape" && gestures.active()) return () => gestures.cancel();
    if (key === "Escape") return () => store.set({ crosshair: null });
    const tool = store.get().keys ? BEGINS[key.toLowerCase()] : null;
    if (!tool || gestures.active()) return null;
    return () => {
      store.set({ tool });
      press({ tool });
    };
  }

  view.addEventListener(
    "keydown",
    (event) => {
      const { medium, crosshair, view: seen } = store.get();
      if (!medium || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      const still = medium.kind === "image" && seen.zoom <= 1 && ARROWS[event.key];
      const act = crosshair ? keyed(event) : still || event.key === "Enter" ? show : null;
      if (!act) return;
      event.preventDefault();
      act();
      stage.repaint();
    },
    { signal },
  );

  // Turned on elsewhere without a place: begin in the middle.
  const off = store.on(["crosshair"], ({ crosshair }) => {
    if (crosshair === "middle") show();
  });
  signal.addEventListener("abort", off);
}
