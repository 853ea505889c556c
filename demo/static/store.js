/**
 * What the page knows at this moment, in one place: parts read it, set it, and hear of changes.
 *
 *   const store = createStore({ frame: 0 });
 *   const off = store.on(["frame"], (state) => draw(state.frame));
 *   store.set({ frame: 3 });
 *
 * A value is replaced, never changed in place; setting an equal value tells nobody.
 *
 * @template {object} S
 * @param {S} initial
 */
export function createStore(initial) {
  let state = Object.freeze({ ...initial });
  /** @type {Set<{keys: Set<string>, fn: (state: S) => void}>} */
  const listeners = new Set();
  return {
    get: () => state,
    /** @param {Partial<S>} patch */
    set(patch) {
      const changed = Object.keys(patch).filter((key) => !Object.is(state[key], patch[key]));
      if (changed.length === 0) return;
      state = Object.freeze({ ...state, ...patch });
      for (const listener of [...listeners]) {
        if (listeners.has(listener) && changed.some((key) => listener.keys.has(key))) listener.fn(state);
      }
    },
    /**
     * @param {string[]} keys
     * @param {(state: S) => void} fn
     * @returns {() => void} ends it
     */
    on(keys, fn) {
      const listener = { keys: new Set(keys), fn };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What a workspace knows before a picture or clip is opened. */
export const EMPTY = Object.freeze({
  medium: null,
  frame: 0,
  playing: false,
  objects: [],
  turns: [],
  canUndo: false,
  canRedo: false,
  maskVersion: 0,
  selected: null,
  hovered: null,
  solo: null,
  tool: "point",
  positive: true,
  drawings: [],
  look: Object.freeze({
    opacity: 0.5,
    outline: true,
    labels: true,
    effect: "overlay",
    target: "object",
    colour: "#ffffff",
  }),
  busy: null,
  range: null,
  direction: "both",
  language: "en",
  notice: null,
});
