/**
 * Everything in the picture at once: a search proposes things, and a click keeps one as an object.
 *
 * It is a tool like the others: while it is in hand, outlines of all that was found are seen, the one
 * under the mouse is filled, and Escape puts it away. The store has `proposed`, a list of
 * {segment, score, shape, object}; `object` is the one that was made of it, so that an undo brings the
 * proposal back; `searched` says whether a search has ended, and `pointed` which one the mouse is on.
 */
import { element, icon } from "./element.js";
import { shapeOf } from "./masks.js";

export const TOOL = "everything";

/** Defaults are those of SAM 2's automatic masks. */
const FIELDS = [
  { name: "points_per_side", value: 32, min: 1, max: 64, step: 1 },
  { name: "quality", value: 0.8, min: 0, max: 1, step: 0.01 },
  { name: "stability", value: 0.95, min: 0, max: 1, step: 0.01 },
  { name: "box_overlap", value: 0.7, min: 0, max: 1, step: 0.01 },
  { name: "min_area", value: 0, min: 0, max: 1e6, step: 1 },
];
const NOTHING = Object.freeze([]);

/** What may still be kept. @param {any} state */
export const left = ({ proposed = NOTHING, objects }) =>
  proposed.filter(({ object }) => object === null || !objects.some(({ id }) => id === object));

/** The smallest thing proposed at a place of the picture. */
export function proposedAt(state, at) {
  const hit = left(state).filter(({ shape }) => shape.at(...at));
  return hit.reduce((least, each) => (least && least.shape.area <= each.shape.area ? least : each), null);
}

/** Outline what was proposed; `ctx` is scaled to display pixels. */
export function paintProposed(ctx, state, scale) {
  if (state.tool !== TOOL) return;
  ctx.save();
  ctx.lineJoin = "round";
  for (const { segment, shape } of left(state)) {
    const here = segment === state.pointed;
    for (const [colour, width] of [["rgba(12, 14, 18, .7)", here ? 5 : 3], ["#ffffff", here ? 2.5 : 1.25]]) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width / scale;
      ctx.stroke(shape.path);
    }
    if (!here) continue;
    ctx.fillStyle = "rgba(255, 255, 255, .45)";
    ctx.fill(shape.path, "evenodd");
  }
  ctx.restore();
}

/** A search goes out. */
export const searching = (store) => store.set({ proposed: NOTHING, searched: false, pointed: null });

/** Something was found. @param {any} event */
export function propose(store, { segment, rle, score }) {
  const found = { segment, score, shape: shapeOf(rle), object: null };
  store.set({ proposed: [...(store.get().proposed ?? NOTHING), found] });
}

/** An object was made of it. */
export function kept(store, segment, object) {
  store.set({ proposed: store.get().proposed.map((each) => (each.segment === segment ? { ...each, object } : each)) });
}

/**
 * The line below the tools, while this one is in hand.
 *
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: any[]) => string} t
 */
export function mountEverything(root, store, actions, t) {
  const inputs = new Map();
  const field = ({ name, value, ...bounds }) => {
    const input = element("input", { type: "number", name, value, inputmode: "decimal", ...bounds });
    inputs.set(name, input);
    return element("label", { class: "x-field" }, t(`everything.${name}`), input);
  };
  const fold = element(
    "details",
    { class: "x-advanced" },
    element("summary", {}, t("everything.advanced")),
    element("div", { class: "x-advanced-fields" }, ...FIELDS.map(field)),
  );
  const begin = element("button", { type: "button", class: "x-button x-primary", "data-name": "search", onclick: search });
  const stop = element(
    "button",
    { type: "button", class: "x-button x-stop", onclick: () => actions.stop() },
    icon("stop"),
    t("chat.stop"),
  );
  const bar = element("progress", { "aria-label": t("everything.progress") });
  const words = element("p", { class: "x-everything-words", role: "status" });
  const done = element("button", { type: "button", class: "x-quiet", onclick: () => actions.setTool("point") }, t("everything.leave"));
  const line = element("div", { class: "x-everything-line" }, begin, stop, bar, words, done);
  const panel = element("div", { class: "x-everything", role: "group", "aria-label": t("tools.everything") }, line, fold);
  root.append(panel);

  function search() {
    const wrong = [...inputs.values()].find((input) => !input.reportValidity());
    if (wrong) return;
    actions.everything(Object.fromEntries([...inputs].map(([name, input]) => [name, input.valueAsNumber])));
  }

  function show(state) {
    const { tool, busy, searched, proposed = NOTHING } = state;
    panel.hidden = tool !== TOOL;
    if (panel.hidden) return;
    const running = busy?.kind === TOOL;
    begin.hidden = running;
    begin.textContent = t(searched ? "everything.again" : "everything.begin");
    stop.hidden = bar.hidden = !running;
    if (running && busy.total > 0) [bar.max, bar.value] = [busy.total, busy.done];
    else bar.removeAttribute("value");
    words.textContent = running ? t("everything.running") : searched ? foundText(state, proposed) : t("everything.hint");
  }

  function foundText(state, proposed) {
    if (proposed.length === 0) return t("everything.nothing");
    const count = left(state).length;
    return t(count === 1 ? "everything.found.one" : "everything.found.many", count);
  }

  const off = store.on(["tool", "busy", "searched", "proposed", "objects"], show);
  const opened = store.on(["medium"], () => searching(store));
  show(store.get());
  return {
    destroy() {
      off();
      opened();
      panel.remove();
    },
  };
}
