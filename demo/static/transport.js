/**
 * The player's controls: play, step, scrub, and go to a time or a frame by its number.
 *
 * Frames are numbered from 0, as they are in files and in code. Controls say what they want by an
 * action, and follow the store; only speed, loop and sound are theirs, and outlive a clip.
 */
import { element } from "./element.js";
import { clock, frameAt, parseClock } from "./times.js";

const SPEEDS = [0.25, 0.5, 1, 1.5, 2];
const SVG = "http://www.w3.org/2000/svg";

/** Filled shapes and strokes on a 20 x 20 grid. */
const ICONS = {
  play: ["M6 3.5v13l10.5-6.5z", ""],
  pause: ["M5 4h3.5v12H5zM11.5 4H15v12h-3.5z", ""],
  first: ["M16 4.5v11L8 10z", "M5 4.5v11"],
  last: ["M4 4.5v11l8-5.5z", "M15 4.5v11"],
  back: ["", "M12.5 4.5L7 10l5.5 5.5"],
  forward: ["", "M7.5 4.5L13 10l-5.5 5.5"],
  loop: ["", "M4 9.5V8a2.5 2.5 0 0 1 2.5-2.5H15M12.5 3L15 5.5 12.5 8M16 10.5V12a2.5 2.5 0 0 1-2.5 2.5H5M7.5 17L5 14.5 7.5 12"],
  sound: ["M3 7.5h3L10 4v12l-4-3.5H3z", "M13 7.5a3.5 3.5 0 0 1 0 5M15.2 5.2a6.8 6.8 0 0 1 0 9.6"],
  muted: ["M3 7.5h3L10 4v12l-4-3.5H3z", "M13 8l4 4M17 8l-4 4"],
};

/** @param {keyof typeof ICONS} name */
function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  ICONS[name].forEach((shape, stroked) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    path.setAttribute("class", stroked ? "x-stroke" : "x-fill");
    svg.append(path);
  });
  return svg;
}

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountTransport(root, store, actions, t) {
  const how = { rate: 1, loop: false, muted: false };
  const frame = () => store.get().frame;
  const clip = () => store.get().medium;

  const button = (name, onclick) =>
    element(
      "button",
      { type: "button", class: `x-player-button x-player-${name}`, "aria-label": t(`player.${name}`), title: t(`player.${name}`), onclick },
      icon(name),
    );
  const toggle = () => (store.get().playing ? actions.pause() : actions.play());
  const play = button("play", toggle);
  const loop = button("loop", () => change({ loop: !how.loop }));
  const sound = element("button", { type: "button", class: "x-player-button x-player-sound", onclick: () => change({ muted: !how.muted }) });
  const scrubber = element("input", {
    type: "range", class: "x-scrubber", min: 0, step: 1, "aria-label": t("player.position"),
    oninput: () => actions.goto(Number(scrubber.value)),
  });
  const time = element("input", { class: "x-player-time", "aria-label": t("player.time"), autocomplete: "off", spellcheck: "false" });
  const number = element("input", {
    type: "number", class: "x-player-number", min: 0, step: 1, "aria-label": t("player.frame"),
    onchange: () => entered(number, number.value === "" ? null : Number(number.value)),
  });
  const of = element("span", { class: "x-dim" });
  const speed = element(
    "select",
    { class: "x-player-speed", "aria-label": t("player.speed"), title: t("player.speed"), onchange: () => change({ rate: Number(speed.value) }) },
    ...SPEEDS.map((each) => element("option", { value: each, selected: each === 1 }, t("player.times", each))),
  );
  const hint = element("span", { class: "x-player-hint x-dim", role: "status" });

  time.addEventListener("change", () => {
    const seconds = parseClock(time.value);
    entered(time, seconds === null ? null : frameAt(clip().times, seconds + 0.005)); // as rounded on screen
  });
  for (const field of [time, number]) {
    field.addEventListener("focus", () => field.select());
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") field.value = "";
      if (event.key === "Enter" || event.key === "Escape") field.blur();
    });
    field.addEventListener("blur", follow);
  }

  const bar = element(
    "div",
    { class: "x-transport", role: "group", "aria-label": t("player.title") },
    element("div", { class: "x-transport-position" }, time, scrubber),
    element(
      "div",
      { class: "x-transport-row" },
      element(
        "div",
        { class: "x-transport-keys" },
        button("first", () => actions.goto(0)),
        button("back", () => actions.goto(frame() - 1)),
        play,
        button("forward", () => actions.goto(frame() + 1)),
        button("last", () => actions.goto(clip().frames - 1)),
      ),
      element("label", { class: "x-player-entry" }, t("player.frame"), number, of),
      hint,
      element("span", { class: "x-space" }),
      element("div", { class: "x-transport-keys" }, speed, loop, sound),
    ),
  );
  root.append(bar);

  /** Go where a person typed, if that is a place. @param {HTMLInputElement} field @param {number | null} to */
  function entered(field, to) {
    if (to !== null && Number.isFinite(to)) actions.goto(to);
    follow(); // what cannot be read gives way to where we are
  }

  /** @param {Partial<typeof how>} changes */
  function change(changes) {
    Object.assign(how, changes);
    actions.frames?.set(how);
    look();
  }

  /** Show how it plays. */
  function look() {
    const { playing, medium } = store.get();
    const name = playing ? "pause" : "play";
    play.replaceChildren(icon(name));
    play.setAttribute("aria-label", t(`player.${name}`));
    play.title = t(`player.${name}`);
    loop.setAttribute("aria-pressed", String(how.loop));
    const silent = !medium?.sound;
    const title = t(silent ? "player.silent" : how.muted ? "player.unmute" : "player.mute");
    sound.replaceChildren(icon(silent || how.muted ? "muted" : "sound"));
    sound.setAttribute("aria-label", title);
    sound.title = title;
    sound.disabled = silent;
  }

  /** Show where we are; a field that somebody is typing into is left alone. */
  function follow() {
    const { medium, frame: at } = store.get();
    if (!medium?.times) return;
    const seconds = medium.times[at];
    const last = medium.frames - 1;
    scrubber.value = String(at);
    scrubber.style.setProperty("--x-share", `${last ? (100 * at) / last : 0}%`);
    scrubber.setAttribute("aria-valuetext", t("player.value", at, last, seconds.toFixed(2)));
    if (document.activeElement !== time) time.value = clock(seconds);
    if (document.activeElement !== number) number.value = String(at);
  }

  function open() {
    const { medium, range } = store.get();
    bar.hidden = !medium?.times;
    if (!medium?.times) return;
    const last = String(medium.frames - 1);
    scrubber.max = number.max = last;
    number.style.width = `${last.length + 3}ch`;
    of.textContent = t("player.of", last);
    actions.frames.set({ ...how, range });
    const prepare = () => {
      hint.textContent = medium.proxy && actions.frames?.source() === "stills" ? t("player.preparing") : "";
    };
    actions.frames.onSource = prepare;
    prepare();
    follow();
    look();
  }

  const offs = [
    store.on(["medium"], open),
    store.on(["frame"], follow),
    store.on(["playing"], look),
    store.on(["range"], ({ range }) => actions.frames?.set({ range })),
  ];
  open();
  return {
    destroy() {
      for (const off of offs) off();
      bar.remove();
    },
  };
}
