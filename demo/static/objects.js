/**
 * The list of objects: the one list that words, clicks and buttons all change.
 *
 * A row is chosen by a press anywhere on it, its name is changed in place, and rows are ticked to
 * merge, hide or delete several at once. Arrow keys move between rows, F2 renames, Delete deletes.
 */
import { counted } from "./amounts.js";
import { openExport } from "./dialogs.js";
import { element } from "./element.js";
import { createRow } from "./object_row.js";

const HINT = 12_000; // ms that the way back is offered after a deletion

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountObjects(root, store, actions, t) {
  /** @type {Map<number, ReturnType<typeof createRow>>} */
  const rows = new Map();
  /** @type {Set<number>} */
  let ticked = new Set();
  /** @type {number|null} */
  let anchor = null;
  let timer = 0;

  const button = (text, onclick, look = "x-button") => element("button", { type: "button", class: look, onclick }, text);
  const title = element("h2");
  const showAll = button(t("objects.showAll"), () => actions.show(ids()), "x-button x-plain");
  const take = button(t("objects.export"), () => openExport(store, actions, t));
  const several = element("div", { class: "x-several", role: "group", "aria-label": t("objects.ticked") });
  const hint = element("p", { class: "x-undo-hint", role: "status" });
  const empty = element("p", { class: "x-dim x-no-objects" });
  const list = element("ul", { class: "x-rows", "aria-label": t("objects.title"), onkeydown: key });
  const head = element("header", { class: "x-objects-head" }, title, element("span", { class: "x-space" }), showAll, take);
  const part = element("div", { class: "x-objects" }, head, several, hint, empty, list);
  root.append(part);

  const ids = () => store.get().objects.map((each) => each.id);

  /** Tick a row, or with Shift all from the last ticked one to it. */
  function tick(id, on, range) {
    const all = ids();
    const [from, to] = [all.indexOf(range && anchor !== null ? anchor : id), all.indexOf(id)].sort((a, b) => a - b);
    ticked = new Set(ticked);
    for (const each of all.slice(Math.max(from, 0), to + 1)) {
      if (on) ticked.add(each);
      else ticked.delete(each);
    }
    anchor = id;
    draw();
  }

  /** @param {number[]} gone */
  async function remove(gone) {
    const all = ids();
    const at = all.indexOf(gone[0]);
    const next = all.filter((id) => !gone.includes(id)).at(Math.min(at, all.length - gone.length - 1));
    if (await actions.remove(gone)) offerUndo(counted(t, "objects.deleted", gone.length));
    (rows.get(next) ?? { focus: () => undo()?.focus() }).focus();
  }

  async function merge() {
    const chosen = ids().filter((id) => ticked.has(id));
    if (await actions.merge(chosen)) {
      ticked = new Set();
      draw();
      offerUndo(t("objects.merged"));
      rows.get(chosen[0])?.focus();
    }
  }

  const undo = () => hint.querySelector("button");

  /** @param {string} text */
  function offerUndo(text) {
    const back = () => {
      hint.replaceChildren();
      actions.undo();
    };
    hint.replaceChildren(text, " ", button(t("objects.undo"), back, "x-link"));
    clearTimeout(timer);
    timer = setTimeout(() => hint.replaceChildren(), HINT);
  }

  function key(event) {
    if (event.target.matches("input") && event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    const row = event.target.closest(".x-row");
    const id = Number(row?.dataset.id);
    const all = ids();
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) rows.get(all[all.indexOf(id) + move])?.focus();
    else if (event.key === "F2") rows.get(id)?.rename();
    else if (event.key === "Delete") remove([id]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function drawSeveral() {
    const chosen = ids().filter((id) => ticked.has(id));
    several.hidden = chosen.length === 0;
    if (chosen.length === 0) return;
    several.replaceChildren(
      element("span", { class: "x-several-count" }, counted(t, "objects.chosen", chosen.length)),
      ...(chosen.length > 1 ? [button(t("objects.merge"), merge, "x-button x-primary")] : []),
      button(t(chosen.length > 1 ? "objects.onlyThese" : "objects.only"), () => actions.only(chosen)),
      button(t("objects.hide"), () => actions.hide(chosen)),
      button(t("objects.delete"), () => remove(chosen)),
      button(t("objects.none"), () => ((ticked = new Set()), draw()), "x-link"),
    );
  }

  const parts = { tick, remove };

  function draw() {
    const state = store.get();
    const { objects, medium } = state;
    const known = new Set(ids());
    ticked = new Set([...ticked].filter((id) => known.has(id)));
    for (const [id, row] of rows) {
      if (known.has(id)) continue;
      row.root.remove();
      rows.delete(id);
    }
    objects.forEach((object, index) => {
      if (!rows.has(object.id)) rows.set(object.id, createRow(object.id, parts, store, actions, t));
      const row = rows.get(object.id);
      if (list.children[index] !== row.root) list.insertBefore(row.root, list.children[index] ?? null);
      row.update(object, medium);
      row.paint(state, ticked);
    });
    title.textContent = objects.length > 0 ? t("objects.count", objects.length) : t("objects.title");
    empty.textContent = t("objects.empty");
    empty.hidden = objects.length > 0;
    take.hidden = objects.length === 0;
    showAll.hidden = objects.every((each) => each.shown);
    drawSeveral();
  }

  const offs = [
    store.on(["objects", "medium"], draw),
    store.on(["selected", "hovered", "solo"], (state) => {
      for (const row of rows.values()) row.paint(state, ticked);
    }),
  ];
  draw();
  return {
    destroy() {
      clearTimeout(timer);
      for (const off of offs) off();
      part.remove();
    },
  };
}
