/**
 * Keys that work anywhere in a workspace, and the table that shows them.
 *
 * One table says what a key is called, what it does and how that is written; `?` shows the same
 * table. Keys are left alone while somebody types, in other tabs, and where a button or list has
 * its own use for them. Single letters can be switched off in the dialog, for people who dictate.
 */

import { ARROWS } from "./crosshair.js";
import { element } from "./element.js";
import { closer, STEP, WHOLE } from "./geometry.js";
import { otherBrush, prepare, redo, startAnew, undo } from "./tools.js";

const PAN = 60; // CSS pixels of an arrow on a zoomed picture
const LEAP = 10; // frames, with Shift

/**
 * @typedef {object} Row
 * @property {string[]} keys as `nameOf` writes them
 * @property {string} shown
 * @property {string} text
 * @property {((desk: any, event: KeyboardEvent) => void)|null} run null: somebody else listens
 */

/** @type {Row[]} */
const TABLE = [
  tool("v", "select"),
  tool("p", "point"),
  tool("b", "box"),
  tool("s", "scribble"),
  tool("e", "erase"),
  { keys: ["a"], shown: "A", text: "keys.everything", run: everything },
  { keys: ["+", "="], shown: "+", text: "keys.plus", run: (desk) => sign(desk, true) },
  { keys: ["-", "_", "−"], shown: "−", text: "keys.minus", run: (desk) => sign(desk, false) },
  { keys: ["[", "]"], shown: "[  ]", text: "keys.brush", run: brush },
  { keys: ["n"], shown: "N", text: "keys.new", run: ({ store, actions }) => startAnew(store, actions) },
  { keys: ["z", "ctrl+z"], shown: "Z / Ctrl+Z", text: "keys.undo", run: ({ store, actions }) => undo(store, actions) },
  {
    keys: ["y", "ctrl+y", "ctrl+shift+z"],
    shown: "Y / Ctrl+Shift+Z",
    text: "keys.redo",
    run: ({ store, actions }) => redo(store, actions),
  },
  { keys: ["i"], shown: "I", text: "keys.zoomIn", run: (desk) => zoom(desk, STEP) },
  { keys: ["o"], shown: "O", text: "keys.zoomOut", run: (desk) => zoom(desk, 1 / STEP) },
  { keys: ["0"], shown: "0", text: "keys.fit", run: ({ store }) => store.set({ view: WHOLE }) },
  { keys: [" "], shown: "Space", text: "keys.space", run: takeHand },
  {
    keys: [...Object.keys(ARROWS), ...Object.keys(ARROWS).map((key) => `shift+${key}`)],
    shown: "← → ↑ ↓",
    text: "keys.arrows",
    run: arrow,
  },
  { keys: ["x"], shown: "X", text: "keys.crosshair", run: crosshair },
  { keys: ["enter"], shown: "Enter", text: "keys.enter", run: null },
  { keys: ["backspace"], shown: "Backspace", text: "keys.backspace", run: null },
  { keys: ["escape"], shown: "Esc", text: "keys.escape", run: leave },
  { keys: ["?"], shown: "?", text: "keys.help", run: ({ store }) => store.set({ help: true }) },
];

function tool(key, name) {
  return { keys: [key], shown: key.toUpperCase(), text: `tools.${name}`, run: ({ actions }) => actions.setTool(name) };
}

function everything({ actions }) {
  if (actions.kind === "image" && actions.facts?.tracker) actions.setTool("everything");
}

/** Of a search for everything, the tool is put away first. */
function leave({ store, actions }) {
  if (store.get().tool === "everything") actions.setTool("point");
  else actions.select(null);
}

function sign({ store, actions }, positive) {
  store.set({ positive });
  if (["select", "erase", "everything"].includes(store.get().tool)) actions.setTool("point");
}

function brush({ store }, { key }) {
  store.set({ brush: otherBrush(store.get().brush, key === "]") });
}

function takeHand({ store }) {
  if (!store.get().hand) store.set({ hand: "held" });
}

function crosshair({ store }) {
  store.set({ crosshair: store.get().crosshair ? null : "middle" });
}

function zoom({ store }, factor) {
  store.set({ view: closer(store.get().view, factor) });
}

/** Frames of a clip; where the picture is larger than the stage, the way around in it. */
function arrow({ store, actions, stage }, event) {
  const { medium, frame, view } = store.get();
  const [dx, dy] = ARROWS[event.key];
  if (medium.kind === "video" && dx) actions.goto(frame + dx * (event.shiftKey ? LEAP : 1));
  else if (view.zoom > 1) {
    const { clientWidth, clientHeight } = stage() ?? { clientWidth: 800, clientHeight: 600 };
    const [x, y] = [(dx * PAN) / (clientWidth * view.zoom), (dy * PAN) / (clientHeight * view.zoom)];
    store.set({ view: { ...view, x: view.x + x, y: view.y + y } });
  }
}

/** A key as the table writes it: `z`, `+`, `ctrl+shift+z`, `shift+ArrowLeft`. */
export function nameOfKey({ key, ctrlKey, metaKey, shiftKey }) {
  const ctrl = ctrlKey || metaKey;
  const named = key.length > 1;
  return `${ctrl ? "ctrl+" : ""}${shiftKey && (ctrl || named) ? "shift+" : ""}${key in ARROWS ? key : key.toLowerCase()}`;
}

const BY_KEY = new Map(TABLE.flatMap((row) => row.keys.map((key) => [key, row])));
const TICKED = "[type=checkbox], [type=radio], [type=button], [type=range]";
const TYPING = `input:not(${TICKED}), textarea, select, [contenteditable], [role=textbox]`;
const PRESSED = "button, a[href], label, summary, input, [role=option], [role=slider]";
const WALKED = "[role=toolbar], [role=slider], [role=listbox], [role=grid], [role=tablist], [role=radiogroup], input";

/** Whether the place where the focus is has its own use for the key. */
function taken(event) {
  const at = event.target instanceof Element ? event.target : document.body;
  if (at.closest(TYPING) || at.closest("dialog[open], [role=dialog]:not(dialog), [role=menu]")) return true;
  if (event.key in ARROWS) return at.closest(WALKED) !== null;
  return event.key === " " && at.closest(PRESSED) !== null;
}

/**
 * @param {HTMLElement} root the workspace
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: any[]) => string} t
 */
export function mountShortcuts(root, store, actions, t) {
  prepare(store);
  const life = new AbortController();
  const { signal } = life;
  const desk = { store, actions, stage: () => root.querySelector(".x-stage") };
  const seen = () => root.getClientRects().length > 0;
  const dialog = helpDialog(store, t);
  root.append(dialog);

  function pressed(event) {
    if (event.defaultPrevented || event.isComposing || event.altKey || !seen() || taken(event)) return;
    const row = BY_KEY.get(nameOfKey(event));
    const { medium, keys } = store.get();
    if (!row?.run || !medium || (!keys && event.key.length === 1 && !event.ctrlKey && !event.metaKey)) return;
    event.preventDefault();
    row.run(desk, event);
  }

  /** The space bar is a hand while it is down; let go without dragging, it plays. */
  function released(event) {
    const { hand, medium, playing } = store.get();
    if (event.key !== " " || !hand) return;
    store.set({ hand: null });
    if (hand === "held" && medium?.kind === "video") playing ? actions.pause() : actions.play();
  }

  document.addEventListener("keydown", pressed, { signal });
  document.addEventListener("keyup", released, { signal });
  window.addEventListener("blur", () => store.set({ hand: null }), { signal });
  const off = store.on(["help"], ({ help }) => {
    if (help && !dialog.open) dialog.showModal();
  });
  return {
    destroy() {
      off();
      life.abort();
      dialog.remove();
    },
  };
}

function helpDialog(store, t) {
  const rows = TABLE.map(({ shown, text }) => {
    const keys = shown.split(" / ").map((key) => element("kbd", {}, key));
    return element("tr", {}, element("th", { scope: "row" }, ...keys), element("td", {}, t(text)));
  });
  const more = ["wheel", "right", "fingers"].map((key) => element("li", {}, t(`keys.more.${key}`)));
  const title = element("h2", { id: `x-help-${Math.random().toString(36).slice(2)}` }, t("keys.title"));
  const keys = element("input", { type: "checkbox", checked: true, onchange: () => store.set({ keys: keys.checked }) });
  const closes = { type: "button", class: "x-button x-primary", autofocus: true, onclick: () => dialog.close() };
  const close = element("button", closes, t("keys.close"));
  const dialog = element(
    "dialog",
    { class: "x-help", "aria-labelledby": title.id, onclose: () => store.set({ help: false }) },
    title,
    element(
      "div",
      { class: "x-help-body" },
      element("table", {}, element("tbody", {}, ...rows)),
      element("ul", {}, ...more),
    ),
    element("footer", {}, element("label", { class: "x-tick" }, keys, t("keys.single")), close),
  );
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}
