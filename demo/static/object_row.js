/**
 * One object in the list: its colour and number, name, score, size, and what can be done to it.
 */
import { seconds, share } from "./amounts.js";
import { createSlots, element, icon, iconButton } from "./element.js";
import { menuButton } from "./menus.js";

const LONGEST_NAME = 80; // characters

/**
 * @param {number} id
 * @param {{tick: (id: number, on: boolean, range: boolean) => void, remove: (ids: number[]) => void}} list
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function createRow(id, list, store, actions, t) {
  const slot = createSlots();
  /** @type {any} */
  let object;

  const tick = element("input", {
    type: "checkbox",
    class: "x-pick",
    onclick: (event) => list.tick(id, tick.checked, event.shiftKey),
  });
  const number = element("span", { class: "x-number" });
  const choose = element("button", { type: "button", class: "x-swatch", onclick: () => actions.select(id) }, number);
  const name = element("button", { type: "button", class: "x-object-name", title: t("objects.rename"), onclick: rename });
  const named = element("div", { class: "x-named" }, name);
  const numbers = element("div", { class: "x-numbers" });
  const eye = iconButton("eye", "", () => (object.shown ? actions.hide([id]) : actions.show([id])));
  const solo = iconButton("solo", t("objects.solo"), () => actions.solo(id));
  const fix = iconButton("fix", t("objects.fix"), () => {
    actions.select(id);
    actions.setTool("point");
  });
  const more = menuButton({
    button: iconButton("more", t("objects.more"), () => {}),
    label: t("objects.more"),
    items: () => [
      ...(isClip() ? [{ id: "follow", title: t("objects.follow") }, { id: "jump", title: t("objects.jump") }] : []),
      { id: "rename", title: t("objects.rename") },
      { id: "only", title: t("objects.only") },
      { id: "remove", title: t("objects.delete"), danger: true },
    ],
    onChoose: (what) => DONE[what](),
  });
  const DONE = {
    follow: () => actions.propagate(id, { direction: store.get().direction, range: store.get().range }),
    jump: () => actions.jumpTo(id),
    rename,
    only: () => actions.only([id]),
    remove: () => list.remove([id]),
  };
  const root = element(
    "li",
    {
      class: "x-row",
      "data-id": id,
      onmouseenter: () => actions.hover(id),
      onmouseleave: () => actions.hover(null),
      onfocusin: () => actions.hover(id),
      onfocusout: () => actions.hover(null),
      onclick: (event) => {
        if (!event.target.closest("button, input, .x-menu-place")) pick(event);
      },
      ondblclick: (event) => {
        if (!event.target.closest("button, input, .x-menu-place")) actions.jumpTo(id);
      },
    },
    tick,
    choose,
    element("div", { class: "x-row-words" }, named, numbers),
    element("div", { class: "x-row-buttons" }, eye, solo, fix, more),
  );

  const isClip = () => store.get().medium?.kind === "video";

  function pick(event) {
    if (event.shiftKey) list.tick(id, true, true);
    else actions.select(id);
  }

  function rename() {
    actions.select(id);
    const before = object.name;
    let over = false;
    const end = (keep) => {
      if (over) return;
      over = true;
      const text = box.value.trim();
      named.replaceChildren(name);
      if (keep && text && text !== before) actions.rename(id, text);
    };
    const box = element("input", {
      class: "x-rename",
      value: before,
      maxlength: LONGEST_NAME,
      "aria-label": t("objects.newName", before),
      onblur: () => end(true),
      onkeydown: (event) => {
        event.stopPropagation();
        if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
        event.preventDefault();
        end(event.key === "Enter");
        name.focus();
      },
    });
    named.replaceChildren(box);
    box.focus();
    box.select();
  }

  function drawNumbers(medium) {
    const { score, area, visible } = object;
    const percent = Math.round(score * 100);
    const meter = element(
      "span",
      { class: "x-score", title: t("objects.score", share(score)) },
      element("span", { class: "x-meter", "aria-hidden": "true", style: `--x-share:${percent}%` }),
      element("span", { class: "x-sr" }, t("objects.score", "")),
      share(Math.round(score * 100) / 100),
    );
    const size = element("span", { class: "x-area", title: t("objects.area") }, t("objects.size", share(area)));
    return medium?.kind === "video" ? [meter, size, spans(visible, medium)] : [meter, size];
  }

  /** A small bar of the whole clip, filled where the object is seen. */
  function spans(visible, { frames, times }) {
    const when = (frame) => seconds(times ? times[frame] : frame);
    const text = visible.map(([a, b]) => `${when(a)} – ${when(b)}`).join(", ");
    const part = ([a, b]) =>
      element("span", { style: `left:${(100 * a) / frames}%;width:${(100 * (b - a + 1)) / frames}%` });
    return element(
      "span",
      { class: "x-spans", role: "img", "aria-label": t("objects.seen", text || "–"), title: t("objects.seen", text || "–") },
      ...visible.map(part),
    );
  }

  return {
    root,
    focus: () => choose.focus(),
    rename,
    /** @param {any} next @param {any} medium */
    update(next, medium) {
      object = next;
      root.style.setProperty("--x-of", next.colour);
      number.textContent = String(id);
      name.textContent = next.name;
      choose.setAttribute("aria-label", t("objects.choose", id, next.name));
      tick.setAttribute("aria-label", t("objects.tick", next.name));
      slot(numbers, [next.score, next.area, next.visible, medium], () => drawNumbers(medium));
      const label = t(next.shown ? "objects.hide" : "objects.show");
      eye.setAttribute("aria-label", label);
      eye.title = label;
      slot(eye, [next.shown], () => [icon(next.shown ? "eye" : "hidden")]);
    },
    /** @param {any} state @param {Set<number>} ticked */
    paint({ selected, hovered, solo: alone }, ticked) {
      root.classList.toggle("x-selected", selected === id);
      root.classList.toggle("x-glow", hovered === id);
      root.classList.toggle("x-hidden-object", !object.shown);
      choose.setAttribute("aria-pressed", String(selected === id));
      solo.setAttribute("aria-pressed", String(alone === id));
      tick.checked = ticked.has(id);
    },
  };
}
