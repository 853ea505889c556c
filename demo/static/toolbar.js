/**
 * Tools above the stage, and below them what the tool in hand can be told.
 *
 * The first line is a toolbar as the ARIA practices describe it: one stop for Tab, arrows inside.
 * The second holds the sign, the width of the brush, and what the marks are for.
 */

import { effectFields } from "./effect_fields.js";
import { effectOf } from "./effects.js";
import { element } from "./element.js";
import { closer, STEP, WHOLE } from "./geometry.js";
import { BRUSHES, nameOf, prepare, redo, startAnew, undo } from "./tools.js";

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a 20 x 20 grid. */
const ICONS = {
  select: "M5 3l10.5 6.2-4.6 1.2 2.6 4.6-2 1.1-2.6-4.6L5.4 15z",
  point: "M10 2.5v4M10 13.5v4M2.5 10h4M13.5 10h4M10 10h.01",
  box: "M3.5 7V3.5H7M13 3.5h3.5V7M16.5 13v3.5H13M7 16.5H3.5V13",
  scribble: "M2.5 15c1.8-6 5-10.5 6.6-9.3s-2.6 6.2-.7 7.3 4.8-7.6 6.6-6.4-1.9 6 .4 6.2c1 0 1.6-.7 2.1-1.4",
  erase: "M8 16.5h8.5M4.2 11.3l6.8-6.8a1.5 1.5 0 0 1 2.1 0l2.9 2.9a1.5 1.5 0 0 1 0 2.1l-7 7H7.5l-3.3-3.1a1.5 1.5 0 0 1 0-2.1zM7.7 7.8l5 5",
  everything: "M3.5 3.5h5.5v5.5H3.5zM13.7 3.3a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM3.5 16.5l3-5.4 3 5.4zM11.5 11.5h5v5h-5z",
  plus: "M10 4.5v11M4.5 10h11",
  minus: "M4.5 10h11",
  undo: "M7 4L3.5 7.5 7 11M3.5 7.5h8a4.5 4.5 0 0 1 0 9H7",
  redo: "M13 4l3.5 3.5L13 11M16.5 7.5h-8a4.5 4.5 0 0 0 0 9H13",
  clear: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.6L14 6M8.5 9v4M11.5 9v4",
  zoomOut: "M8.5 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.6 12.6L17 17M6 8.5h5",
  zoomIn: "M8.5 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.6 12.6L17 17M6 8.5h5M8.5 6v5",
  fit: "M8 8L4 4M4 7.5V4h3.5M12 8l4-4M12.5 4H16v3.5M8 12l-4 4M4 12.5V16h3.5M12 12l4 4M16 12.5V16h-3.5",
  look: "M3 6h6M13 6h4M3 14h3M10 14h7M11 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  help: "M7.3 7.3a2.7 2.7 0 1 1 3.9 2.4c-.8.4-1.2.9-1.2 1.8M10 14.5h.01",
};

/** Tool and its key. */
const TOOLS = [["select", "V"], ["point", "P"], ["box", "B"], ["scribble", "S"], ["erase", "E"]];

function drawing(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const looks = { viewBox: "0 0 20 20", width: "20", height: "20", class: "x-tool-icon", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(looks)) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: any[]) => string} t
 */
export function mountToolbar(root, store, actions, t) {
  prepare(store);
  const life = new AbortController();
  const shows = []; // what brings the page in step with the state

  function button(name, key, act, look = {}) {
    const label = t(`tools.${name}`);
    const title = key ? `${label} (${key})` : label;
    const named = { "aria-label": label, title, "aria-keyshortcuts": key || null, "data-name": name };
    return element("button", { type: "button", class: "x-tool", ...named, onclick: act, ...look }, drawing(name));
  }
  /** Keep an attribute of an element as `is` says. */
  const keep = (made, attribute, is) => {
    shows.push((state) => {
      if (attribute in made) made[attribute] = is(state);
      else made.setAttribute(attribute, String(is(state)));
    });
    return made;
  };
  const zoom = (factor) => store.set({ view: closer(store.get().view, factor) });

  const tools = TOOLS.map(([name, key]) =>
    keep(button(name, key, () => actions.setTool(name)), "aria-pressed", ({ tool }) => tool === name),
  );
  const back = keep(
    button("undo", "Z", () => undo(store, actions)),
    "disabled",
    ({ canUndo, hold, drawings }) => !canUndo && !(hold && drawings.length),
  );
  const again = keep(
    button("redo", "Y", () => redo(store, actions)),
    "disabled",
    ({ canRedo, hold, undone }) => !canRedo && !(hold && undone.length),
  );
  const clear = keep(
    button("clear", "", () => store.set({ marks: [], drawings: [], undone: [] })),
    "disabled",
    ({ marks, drawings }) => marks.length + drawings.length === 0,
  );
  const zooms = [
    keep(button("zoomOut", "O", () => zoom(1 / STEP)), "disabled", ({ view }) => view.zoom <= 1),
    keep(button("fit", "0", () => store.set({ view: WHOLE })), "disabled", ({ view }) => view.zoom <= 1),
    button("zoomIn", "I", () => zoom(STEP)),
  ];
  const { panel, opener } = lookPanel();
  const helper = button("help", "?", () => store.set({ help: true }));
  if (actions.facts?.tracker && actions.kind === "image") tools.push(everything());
  const groups = [tools, [back, again, clear], zooms, [opener, helper]];
  const bar = element(
    "div",
    { class: "x-tools", role: "toolbar", "aria-label": t("tools.label") },
    ...groups.map((buttons) => element("div", { class: "x-tool-group" }, ...buttons)),
  );
  rove(bar);

  /** SAM 2 finds all things of a picture, to choose from. */
  function everything() {
    const toggle = () => actions.setTool(store.get().tool === "everything" ? "point" : "everything");
    return keep(button("everything", "A", toggle), "aria-pressed", ({ tool }) => tool === "everything");
  }

  root.append(element("div", { class: "x-tools-box" }, bar, panel), options());

  /** How masks look: effect, opacity, outline, names. */
  function lookPanel() {
    const id = `x-look-${Math.random().toString(36).slice(2)}`;
    const set = (patch) => store.set({ look: { ...store.get().look, ...patch } });
    const slide = element("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.05,
      "data-name": "opacity",
      oninput: () => set({ opacity: Number(slide.value) }),
    });
    keep(slide, "value", ({ look }) => look.opacity);
    const effect = effectFields(set, t);
    shows.push(({ look }) => effect.show(look));
    const tick = (name) => {
      const onchange = () => set({ [name]: box.checked });
      const box = element("input", { type: "checkbox", "data-name": name, onchange });
      keep(box, "checked", ({ look }) => look[name]);
      return element("label", { class: "x-tick" }, box, t(`tools.${name}`));
    };
    const where = (made, used) => keep(made, "hidden", ({ look }) => !used(effectOf(look)));
    const panel = element(
      "div",
      { class: "x-look", id, hidden: true, role: "group", "aria-label": t("tools.look") },
      ...effect.nodes,
      where(element("label", { class: "x-slide" }, t("tools.opacity"), slide), ({ fill }) => fill),
      where(tick("outline"), ({ fill }) => fill),
      where(tick("labels"), ({ plates }) => plates === "names"),
    );
    const open = (is) => {
      panel.hidden = !is;
      opener.setAttribute("aria-expanded", String(is));
    };
    const opener = button("look", "", () => open(panel.hidden), { "aria-expanded": "false", "aria-controls": id });
    const { signal } = life;
    const outside = (event) => !panel.contains(event.target) && !opener.contains(event.target);
    document.addEventListener("pointerdown", (event) => outside(event) && open(false), { signal });
    const escape = (event) => {
      if (event.key !== "Escape" || panel.hidden) return;
      event.stopPropagation();
      open(false);
      opener.focus();
    };
    for (const each of [panel, opener]) each.addEventListener("keydown", escape);
    return { panel, opener };
  }

  /** The second line. */
  function options() {
    const sign = (name, key, positive) => {
      const made = element(
        "button",
        {
          type: "button",
          class: `x-sign x-${name}`,
          "data-name": name,
          "aria-label": t(`tools.${name}`),
          title: `${t(`tools.${name}.hint`)} (${key})`,
          onclick: () => store.set({ positive }),
        },
        drawing(name),
        element("span", {}, t(`tools.${name}`)),
      );
      keep(made, "aria-pressed", (state) => state.positive === positive);
      return keep(made, "disabled", ({ tool }) => tool === "select" || tool === "erase");
    };
    const signs = element(
      "div",
      { class: "x-signs", role: "group", "aria-label": t("tools.sign") },
      sign("plus", "+", true),
      sign("minus", "−", false),
    );
    const slide = element("input", {
      type: "range",
      ...BRUSHES,
      "data-name": "brush",
      "aria-label": t("tools.brush"),
      title: t("tools.brushKeys"),
      oninput: () => store.set({ brush: Number(slide.value) }),
    });
    keep(slide, "value", ({ brush }) => brush);
    const brush = element("label", { class: "x-slide" }, element("span", {}, t("tools.brush")), slide);
    keep(brush, "hidden", ({ tool }) => tool !== "scribble" && tool !== "erase");
    const name = element("span");
    const target = element("span", { class: "x-target" }, name);
    shows.push((state) => {
      const object = state.objects.find(({ id }) => id === state.selected);
      target.hidden = !object;
      target.style.setProperty("--x-colour", object?.colour ?? "transparent");
      name.textContent = object ? t("tools.target", nameOf(state, object.id)) : "";
    });
    const anew = element(
      "button",
      {
        type: "button",
        class: "x-quiet",
        "data-name": "new",
        title: `${t("tools.new")} (N)`,
        onclick: () => startAnew(store, actions),
      },
      t("tools.new"),
    );
    keep(anew, "hidden", ({ selected }) => selected === null);
    const onchange = () => store.set({ hold: hold.checked, undone: [] });
    const hold = element("input", { type: "checkbox", role: "switch", "data-name": "hold", onchange });
    keep(hold, "checked", (state) => state.hold);
    const knob = element("span", { class: "x-knob" });
    const held = element("label", { class: "x-switch", title: t("tools.hold.hint") }, hold, knob, t("tools.hold"));
    const named = { class: "x-options", role: "group", "aria-label": t("tools.options") };
    const line = element("div", named, signs, brush, target, anew, held);
    return keep(line, "hidden", ({ tool }) => tool === "everything");
  }

  const step = () => shows.forEach((show) => show(store.get()));
  step();
  const off = store.on(
    ["tool", "positive", "canUndo", "canRedo", "view", "look", "selected", "objects", "marks", "drawings", "undone", "brush", "hold"],
    step,
  );
  return {
    destroy() {
      off();
      life.abort();
      root.replaceChildren();
    },
  };
}

/** One stop for Tab; arrows, Home and End go from button to button. */
function rove(bar) {
  const all = [...bar.querySelectorAll("button")];
  const stop = (at) => all.forEach((each) => (each.tabIndex = each === at ? 0 : -1));
  stop(all[0]);
  bar.addEventListener("focusin", (event) => stop(event.target));
  bar.addEventListener("keydown", (event) => {
    const usable = all.filter((each) => !each.disabled);
    const at = usable.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: usable.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    usable[(to + usable.length) % usable.length].focus();
  });
}
