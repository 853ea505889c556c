/**
 * The timeline: where in the clip each object is seen, and the part of it to follow one through.
 *
 * Lanes are a canvas, drawn only when objects or masks change; while frames go by, nothing moves
 * but the playhead. So ten thousand frames cost as little as ten.
 */
import { element } from "./element.js";
import { drawLanes, drawRuler, frameOf, HIDDEN, prepared, stretches, sureAt } from "./lanes.js";
import { mountRangeHandles } from "./range_handles.js";
import { clock } from "./times.js";

const LANE = matchMedia("(pointer: coarse)").matches ? 44 : 36; // px
const RULER = 36; // px
const IDLE = 10; // times as long as drawing took, between two drawings while masks come in
const DIRECTIONS = ["backward", "both", "forward"];
let made = 0; // radio groups need a name of their own

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 * @param {import("./masks.js").MaskCache | null} [masks] to show masks as they are made
 */
export function mountTimeline(root, store, actions, t, masks = null) {
  const group = `x-direction-${(made += 1)}`;
  const directions = DIRECTIONS.map((each) =>
    element("input", { type: "radio", name: group, value: each, onchange: () => store.set({ direction: each }) }),
  );
  const segment = (input) => element("label", {}, input, element("span", {}, t(`timeline.${input.value}`)));
  const follow = element("button", { type: "button", class: "x-button x-primary x-follow" }, t("timeline.follow"));
  const stop = element("button", { type: "button", class: "x-button", onclick: () => actions.stop() }, t("timeline.stop"));
  const rangeText = element("span", { class: "x-ruler-head" });
  const whole = element("button", { type: "button", class: "x-button x-whole", onclick: () => store.set({ range: null }) }, t("timeline.whole"));
  const progress = element("div", { class: "x-timeline-progress", role: "progressbar", "aria-label": t("timeline.progress"), "aria-valuemin": 0, "aria-valuemax": 100 });
  const rulerCanvas = element("canvas", { "aria-hidden": "true" });
  const ruler = element("div", { class: "x-ruler" }, rulerCanvas, progress);
  const names = element("ul", { class: "x-track-names" });
  const lanes = element("canvas", { class: "x-lanes", "aria-hidden": "true" });
  const empty = element("p", { class: "x-dim x-timeline-empty" }, t("timeline.empty"));
  const playhead = element("div", { class: "x-playhead" });
  const legend = element("ul", { class: "x-legend" }, ...["seen", "carried", "corrected"].map((how) => element("li", { class: `x-how-${how}` }, t(`timeline.${how}`))));
  const body = element(
    "div",
    { class: "x-timeline-body" },
    element("div", { class: "x-timeline-grid" }, rangeText, ruler, names, lanes, playhead),
    empty,
  );
  const panel = element(
    "section",
    { class: "x-timeline", "aria-label": t("timeline.title") },
    element(
      "div",
      { class: "x-timeline-bar" },
      follow,
      stop,
      element("div", { class: "x-directions", role: "radiogroup", "aria-label": t("timeline.direction") }, ...directions.map(segment)),
      whole,
      element("span", { class: "x-space" }),
      legend,
    ),
    body,
  );
  root.append(panel);
  const handles = mountRangeHandles(ruler, store, t);

  const colour = (name) => getComputedStyle(panel).getPropertyValue(name).trim();
  const ready = () => store.get().medium?.times && lanes.clientWidth > 0;
  let due = 0;
  let pause = 0; // ms until the next drawing, while masks come in

  /** Draw soon: once for all that changes until then. */
  function redraw() {
    if (due) return;
    due = pause > 0 ? window.setTimeout(draw, pause) : requestAnimationFrame(draw);
  }

  function draw() {
    due = 0;
    if (!ready()) return;
    const begun = performance.now();
    const { medium, objects, hovered, selected, busy } = store.get();
    const width = lanes.clientWidth;
    const live = (id) => (busy && masks ? stretches(masks.frames(id)) : []);
    drawRuler(prepared(rulerCanvas, width, RULER), { medium, width, height: RULER, colour });
    drawLanes(prepared(lanes, width, Math.max(1, objects.length * LANE)), {
      objects, frames: medium.frames, width, lane: LANE, live, colour,
      lit: ({ id }) => id === hovered || id === selected,
    });
    pause = busy ? Math.max(100, IDLE * (performance.now() - begun)) : 0;
    panel.dataset.drawn = String(Number(panel.dataset.drawn ?? 0) + 1);
  }

  /** One name for each object, kept while it is the same one. */
  function list() {
    const { objects, medium } = store.get();
    const known = new Map([...names.children].map((row) => [row.dataset.object, row]));
    names.replaceChildren(...objects.map((object) => known.get(String(object.id)) ?? row(object.id)));
    objects.forEach((object, i) => {
      const button = /** @type {HTMLElement} */ (names.children[i].firstChild);
      button.style.setProperty("--x-colour", object.colour);
      button.children[0].textContent = String(object.id);
      button.children[1].textContent = object.name;
      button.classList.toggle("x-off", !object.shown);
      const seen = object.visible.reduce((sum, [first, last]) => sum + last - first + 1, 0);
      button.title = t("timeline.track", object.name, seen, medium?.frames ?? 0);
      button.setAttribute("aria-label", `${object.id}: ${button.title}`);
    });
    empty.hidden = objects.length > 0;
    legend.hidden = objects.length === 0;
    mark();
    redraw();
  }

  /** @param {number} id */
  function row(id) {
    const away = () => store.get().hovered === id && actions.hover(null);
    const button = element(
      "button",
      {
        type: "button", class: "x-track-name",
        onclick: () => actions.select(id), ondblclick: () => actions.jumpTo(id),
        onpointerenter: () => actions.hover(id), onpointerleave: away, onfocus: () => actions.hover(id), onblur: away,
      },
      element("span", { class: "x-track-number" }),
      element("span", { class: "x-track-text" }),
    );
    return element("li", { "data-object": id }, button);
  }

  function mark() {
    const { hovered, selected, objects, busy } = store.get();
    for (const each of names.children) {
      const id = Number(each.dataset.object);
      each.firstChild.setAttribute("aria-pressed", String(id === selected));
      each.classList.toggle("x-hovered", id === hovered);
    }
    const chosen = objects.find(({ id }) => id === selected);
    follow.setAttribute("aria-disabled", String(!chosen || busy !== null));
    follow.title = busy ? t("timeline.busy") : chosen ? t("timeline.followWhat", chosen.name) : t("timeline.choose");
  }

  follow.addEventListener("click", () => {
    const { selected, busy } = store.get();
    if (busy) actions.notice(t("timeline.busy"), "info");
    else if (selected === null) actions.notice(t("timeline.choose"), "info");
    else actions.propagate(selected, { direction: store.get().direction, range: store.get().range });
  });

  function place() {
    const { frame, medium } = store.get();
    playhead.style.setProperty("--x-at", String(medium ? frame / Math.max(1, medium.frames - 1) : 0));
  }

  function showRange() {
    const { range, medium } = store.get();
    whole.hidden = range === null;
    if (!medium?.times) return;
    rangeText.textContent = range ? t("timeline.range", ...range) : t("timeline.range", 0, medium.frames - 1);
    rangeText.title = (range ?? [0, medium.frames - 1]).map((frame) => clock(medium.times[frame])).join(" – ");
  }

  function showProgress() {
    const { busy, direction } = store.get();
    const share = busy?.total ? busy.done / busy.total : 0;
    progress.hidden = stop.hidden = !busy || busy.run === "open";
    progress.style.setProperty("--x-share", String(share));
    progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    for (const input of directions) input.checked = input.value === direction;
    if (!busy) pause = 0;
    mark();
  }

  function open() {
    panel.hidden = !store.get().medium?.times;
    body.scrollTop = 0;
    place();
    showRange();
    list();
  }

  // Pointer: press and drag to go there; a lane's object is chosen as well.
  const at = (event, canvas) => frameOf(event.clientX - canvas.getBoundingClientRect().left, store.get().medium.frames, canvas.clientWidth);
  const objectAt = (event) => store.get().objects[Math.floor((event.clientY - lanes.getBoundingClientRect().top) / LANE)];
  for (const canvas of [rulerCanvas, lanes]) {
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      if (canvas === lanes && objectAt(event)) actions.select(objectAt(event).id);
      actions.goto(at(event, canvas));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) {
        if (at(event, canvas) !== store.get().frame) actions.goto(at(event, canvas));
      } else if (canvas === lanes) {
        const object = objectAt(event);
        actions.hover(object?.id ?? null);
        lanes.title = object ? sightOf(object, at(event, lanes)) : "";
      }
    });
  }
  /** What SAM 2 thinks of an object on a frame, where it is not sure. */
  function sightOf(object, frame) {
    const sure = sureAt(object, frame);
    if (sure === null) return "";
    const key = sure < HIDDEN ? "timeline.hidden" : "timeline.doubt";
    return t(key, object.name, frame, Math.round(100 * sure));
  }

  lanes.addEventListener("pointerleave", () => actions.hover(null));
  lanes.addEventListener("dblclick", (event) => objectAt(event) && actions.jumpTo(objectAt(event).id));

  const resized = new ResizeObserver(redraw);
  resized.observe(lanes);
  const theme = new MutationObserver(redraw);
  theme.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  const offs = [
    store.on(["medium"], open),
    store.on(["frame"], place),
    store.on(["objects"], list),
    store.on(["maskVersion"], () => store.get().busy && redraw()),
    store.on(["hovered", "selected"], () => (mark(), redraw())),
    store.on(["range"], showRange),
    store.on(["busy", "direction"], () => (showProgress(), redraw())),
  ];
  open();
  showProgress();
  return {
    destroy() {
      for (const off of offs) off();
      handles.destroy();
      resized.disconnect();
      theme.disconnect();
      clearTimeout(due);
      cancelAnimationFrame(due);
      panel.remove();
    },
  };
}
