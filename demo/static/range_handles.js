/**
 * Two handles on the ruler that choose a part of the clip: sliders, for a pointer and for keys.
 *
 * No range is the whole clip, so handles at both ends mean none.
 */
import { element } from "./element.js";
import { frameOf } from "./lanes.js";

/**
 * @param {HTMLElement} ruler
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountRangeHandles(ruler, store, t) {
  const shade = element("div", { class: "x-range-shade" });
  const handles = ["start", "end"].map((name, which) => {
    const handle = element("div", {
      class: `x-range-handle x-range-${name}`, role: "slider", tabindex: 0, "aria-label": t(`timeline.${name}`), title: t(`timeline.${name}`),
      onkeydown: (event) => {
        const to = keyed(event, which);
        if (to === null) return;
        event.preventDefault();
        event.stopPropagation(); // arrows move the handle, not the clip
        put(which, to);
      },
      onpointerdown: (event) => {
        if (event.button !== 0) return;
        event.preventDefault();
        event.stopPropagation();
        handle.focus({ focusVisible: false });
        handle.setPointerCapture(event.pointerId);
      },
      onpointermove: (event) => {
        if (!handle.hasPointerCapture(event.pointerId)) return;
        const box = ruler.getBoundingClientRect();
        put(which, frameOf(event.clientX - box.left, store.get().medium.frames, box.width));
      },
    });
    return handle;
  });
  ruler.append(shade, ...handles);

  /** @returns {[number, number]} */
  function range() {
    const { range: chosen, medium } = store.get();
    return chosen ?? [0, medium.frames - 1];
  }

  /** @param {KeyboardEvent} event @param {number} which */
  function keyed(event, which) {
    const last = store.get().medium.frames - 1;
    const leap = Math.max(1, Math.round(last / 10));
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -leap, PageUp: leap, Home: -last, End: last };
    return event.key in steps && !event.ctrlKey && !event.altKey && !event.metaKey ? range()[which] + steps[event.key] : null;
  }

  /** @param {number} which @param {number} frame */
  function put(which, frame) {
    const last = store.get().medium.frames - 1;
    let [from, to] = range();
    if (which === 0) from = Math.max(0, Math.min(frame, to));
    else to = Math.min(last, Math.max(frame, from));
    const before = store.get().range;
    if (before && before[0] === from && before[1] === to) return;
    store.set({ range: from === 0 && to === last ? null : [from, to] });
  }

  function show() {
    const { medium, range: chosen } = store.get();
    if (!medium?.times) return;
    const last = Math.max(1, medium.frames - 1);
    const ends = range();
    ends.forEach((frame, which) => {
      const handle = handles[which];
      ruler.style.setProperty(which ? "--x-to" : "--x-from", String(frame / last));
      handle.setAttribute("aria-valuemin", String(which ? ends[0] : 0));
      handle.setAttribute("aria-valuemax", String(which ? medium.frames - 1 : ends[1]));
      handle.setAttribute("aria-valuenow", String(frame));
      handle.setAttribute("aria-valuetext", t("timeline.value", frame, medium.times[frame].toFixed(2)));
    });
    shade.hidden = chosen === null;
  }

  const off = store.on(["range", "medium"], show);
  show();
  return { destroy: off };
}
