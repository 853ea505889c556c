/**
 * Gestures: what a press, a way and a release mean with the tool in hand.
 *
 * Pointer, finger and keyboard cursor all speak to the same three functions, `begin`, `extend` and
 * `finish`, in pixels of the display. A gesture that ends well becomes a mark; the mark is sent at
 * once together with the others of its object, or kept for the next words if the person wants that.
 */

import { clamp, inside, WHOLE } from "./geometry.js";
import { markOf, marksOf, untouched } from "./marks.js";

/** What the stage adds to the store. */
export const STAGE_STATE = Object.freeze({
  view: WHOLE, // see geometry.js
  brush: 24, // width on the screen, CSS pixels
  hold: false, // keep marks for the next words
  marks: Object.freeze([]), // sent, and still to be seen
  undone: Object.freeze([]), // marks taken back, newest last
  crosshair: null, // the keyboard's cursor [x, y], display pixels
  hand: null, // the space bar: "held", or "used" once the picture was dragged
  help: false, // the table of keys is open
  keys: true, // single keys do something
});

/** Tools that make no marks: what is there is chosen. */
export const PICKING = new Set(["select", "everything"]);
export const BRUSHES = Object.freeze({ min: 4, max: 120 });
const APART = 2; // CSS pixels between the points of a scribble
const SMALL = 3; // CSS pixels; a smaller box is a slip

/** Fill in what is missing; parts of the stage may be mounted in any order. */
export function prepare(store) {
  const state = store.get();
  store.set(Object.fromEntries(Object.entries(STAGE_STATE).filter(([key]) => !(key in state))));
}

export const nameOf = (state, id) => state.objects.find((each) => each.id === id)?.name ?? null;

/** The next width of the brush, up or down. */
export const otherBrush = (brush, up) =>
  Math.round(clamp(up ? brush * 1.25 + 1 : brush / 1.25 - 1, BRUSHES.min, BRUSHES.max));

/**
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(text: string) => void} say to screen readers
 * @param {(key: string, ...args: any[]) => string} t
 */
export function createGestures(store, actions, say, t) {
  /** @type {{tool: string, path: [number, number][], scale: number, negative: boolean}|null} */
  let now = null;

  /** The mark that the gesture would make if it ended here. */
  function draft() {
    if (!now) return null;
    const { medium, frame, selected, positive, brush } = store.get();
    const kind = now.tool === "erase" ? "scribble" : now.tool;
    return markOf(medium, kind, now.path, {
      positive: now.tool !== "erase" && positive && !now.negative,
      frame,
      object: selected,
      width: brush / now.scale,
    });
  }

  function add(mark) {
    const state = store.get();
    const list = listOf(state);
    const marks = [...state[list], mark];
    store.set({ [list]: marks, undone: [] });
    say(t(`stage.said.${mark.kind}.${mark.positive ? "yes" : "no"}`, nameOf(state, mark.object) ?? t("stage.newObject")));
    if (!state.hold) actions.mark(marksOf(marks, mark.object, mark.frame), mark.object);
  }

  function erase(mark) {
    const { marks, drawings, selected, hold } = store.get();
    if (selected !== null && !hold) {
      add(mark);
      return;
    }
    const left = { marks: untouched(marks, mark), drawings: untouched(drawings, mark) };
    const gone = marks.length + drawings.length - left.marks.length - left.drawings.length;
    if (gone === 0) return;
    store.set(left);
    say(t("stage.said.erased", gone));
  }

  function end() {
    const mark = draft();
    const { tool, path, scale } = now;
    now = null;
    if (!mark) return;
    const [[x0, y0], [x1, y1]] = [path[0], path[path.length - 1]];
    if (tool === "box" && Math.min(Math.abs(x1 - x0), Math.abs(y1 - y0)) * scale < SMALL) say(t("stage.said.smallBox"));
    else if (tool === "erase") erase(mark);
    else add(mark);
  }

  return {
    draft,
    active: () => now !== null,

    /**
     * Press. A point is made at once.
     * @param {[number, number]} at
     * @param {{scale: number, negative?: boolean, tool?: string}} how CSS pixels to a pixel of the display
     */
    begin(at, { scale, negative = false, tool = store.get().tool }) {
      const { medium, playing } = store.get();
      if (!medium || PICKING.has(tool)) return;
      if (tool !== "box" && !inside(medium, at)) return;
      if (playing) actions.pause();
      now = { tool, path: [at], scale, negative };
      if (tool === "point") end();
    },

    /** Move. */
    extend(at) {
      if (!now) return;
      const [x, y] = now.path[now.path.length - 1];
      if (now.tool === "box") now.path = [now.path[0], at];
      else if (Math.hypot(at[0] - x, at[1] - y) * now.scale >= APART) now.path.push(at);
    },

    /** Release. */
    finish() {
      if (now) end();
    },

    cancel() {
      now = null;
    },
  };
}

/** Where a mark goes that is made now. */
const listOf = ({ hold }) => (hold ? "drawings" : "marks");

/** Take back the last mark with what it did. */
export function undo(store, actions) {
  const state = store.get();
  const marks = state[listOf(state)];
  const last = marks[marks.length - 1];
  if (last) store.set({ [listOf(state)]: marks.slice(0, -1), undone: [...state.undone, last] });
  if (!(last && state.hold)) actions.undo();
}

/** Bring back the last mark that was taken back. */
export function redo(store, actions) {
  const state = store.get();
  const last = state.undone[state.undone.length - 1];
  if (last) store.set({ [listOf(state)]: [...state[listOf(state)], last], undone: state.undone.slice(0, -1) });
  if (!(last && state.hold)) actions.redo();
}

/** Begin another object: nothing is selected, and marks that were sent have done their work. */
export function startAnew(store, actions) {
  store.set({ marks: [], undone: [] });
  actions.select(null);
}
