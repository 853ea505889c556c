/**
 * Dialogs: export, settings, and "are you sure".
 *
 * All are native <dialog> elements, which keep the focus inside, close on Escape and give the
 * focus back. They are put into the workspace that is seen, where the page's colours hold.
 */
import { bytes } from "./amounts.js";
import { effectFields } from "./effect_fields.js";
import { effectOf } from "./effects.js";
import { element, icon, iconButton } from "./element.js";

const STRIDES = [1, 2, 4];
const MOST_FRAMES = 64;
let made = 0;

/**
 * @param {{title: string, body: (Node|string)[], buttons?: (Node)[]}} parts
 * @param {(key: string) => string} t
 * @returns {{dialog: HTMLDialogElement, close: (value?: string) => void, closed: Promise<string>}}
 */
export function openDialog({ title, body, buttons = [] }, t) {
  const id = `x-dialog-${++made}`;
  const close = (value = "") => dialog.close(value);
  const dialog = element(
    "dialog",
    {
      class: "x-dialog",
      "aria-labelledby": id,
      // Keys pressed here are not meant for the picture behind.
      onkeydown: (event) => event.stopPropagation(),
      onclick: (event) => event.target === dialog && close(),
    },
    element(
      "div",
      { class: "x-dialog-inside" },
      element("header", { class: "x-dialog-head" }, element("h2", { id, tabindex: "-1", autofocus: true }, title), iconButton("close", t("dialog.close"), () => close())),
      element("div", { class: "x-dialog-body" }, ...body),
      buttons.length > 0 && element("footer", { class: "x-dialog-foot" }, ...buttons),
    ),
  );
  const closed = new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
  const seen = [...document.querySelectorAll(".x-workspace")].find((each) => each.offsetParent !== null);
  (seen ?? document.body).append(dialog);
  dialog.showModal();
  return { dialog, close, closed };
}

/**
 * @param {{title: string, text: string, yes: string, danger?: boolean}} question
 * @param {(key: string) => string} t
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, text, yes, danger = false }, t) {
  const no = element("button", { type: "button", class: "x-button", onclick: () => open.close() }, t("dialog.cancel"));
  const look = danger ? "x-button x-danger-button" : "x-button x-primary";
  const sure = element("button", { type: "button", class: look, onclick: () => open.close("yes") }, yes);
  const open = openDialog({ title, body: [element("p", {}, text)], buttons: [no, sure] }, t);
  sure.focus();
  return (await open.closed) === "yes";
}

/**
 * Everything that was made, in one file to take away.
 *
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function openExport(store, actions, t) {
  let { look } = store.get();
  const formats = actions.facts?.formats ?? [];
  const titled = ({ id, title }) => {
    const text = t(`dialog.format.${id}`); // in the page's language where that is known
    return text === `dialog.format.${id}` ? title : text;
  };
  const boxes = formats.map(({ id, title }) => check(titled({ id, title }), { name: "format", value: id, checked: true }));
  const opacity = element("input", { type: "range", min: 0, max: 100, step: 5, value: Math.round(look.opacity * 100), "aria-label": t("dialog.opacity") });
  const labels = check(t("dialog.labels"), { name: "labels", checked: look.labels });
  const opaque = element("label", { class: "x-field" }, t("dialog.opacity"), opacity);
  const effect = effectFields((patch) => show({ ...look, ...patch }), t);
  const result = element("div", { class: "x-result", role: "status" });
  const go = element("button", { type: "button", class: "x-button x-primary", onclick: make }, t("dialog.export.make"));

  const chosen = () => boxes.map((box) => box.firstChild).filter((box) => box.checked).map((box) => box.value);

  function show(wanted) {
    look = wanted;
    effect.show(look);
    const { fill, plates } = effectOf(look);
    opaque.hidden = !fill;
    labels.hidden = plates !== "names";
  }
  show(look);

  function follow() {
    go.disabled = chosen().length === 0;
    result.replaceChildren();
  }

  async function make() {
    go.disabled = true;
    result.replaceChildren(element("p", {}, t("dialog.export.working")), element("progress", { "aria-label": t("dialog.export.working") }));
    try {
      const file = await actions.exportAll(chosen(), { ...look, opacity: Number(opacity.value) / 100, labels: labels.firstChild.checked });
      const text = t("dialog.export.take", file.name, bytes(file.bytes));
      const link = element("a", { class: "x-button x-primary x-take", href: file.url, download: file.name }, icon("download"), text);
      result.replaceChildren(link);
      link.focus();
    } catch (error) {
      result.replaceChildren(element("p", { class: "x-note x-error" }, error.message));
    }
    go.disabled = false;
  }

  const fields = [
    element("fieldset", { class: "x-checks", onchange: follow }, element("legend", {}, t("dialog.export.what")), ...boxes),
    element(
      "fieldset",
      { class: "x-checks", onchange: follow },
      element("legend", {}, t("dialog.export.look")),
      ...effect.nodes,
      opaque,
      labels,
    ),
    result,
  ];
  return openDialog({ title: t("dialog.export"), body: fields, buttons: [go] }, t);
}

/**
 * How a clip is looked at, and the page's language; every change holds at once.
 *
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export async function openSettings(store, actions, t) {
  const { medium, language } = store.get();
  const now = medium?.kind === "video" ? (await actions.options({}))?.options : null;
  const body = now ? clipSettings(now, Boolean(actions.facts?.tracker), actions.options, t) : [];

  const again = element("p", { class: "x-dim" }, t("dialog.language.again"));
  again.hidden = true;
  const languages = { en: "English", zh: "简体中文" };
  const speaks = element(
    "select",
    {
      onchange: ({ target: { value } }) => {
        localStorage.setItem("x2sam.language", value);
        store.set({ language: value });
        again.hidden = value === language;
      },
    },
    ...Object.entries(languages).map(([value, name]) => element("option", { value, lang: value, selected: value === language }, name)),
  );
  body.push(
    element("label", { class: "x-field" }, t("dialog.language"), speaks),
    again,
    element("p", { class: "x-dim" }, t("dialog.theme")),
  );
  return openDialog({ title: t("dialog.settings"), body }, t);
}

/**
 * @param {{stride: number, frames: number, propagation: string}} now
 * @param {boolean} tracker whether SAM 2 is there
 * @param {(change: Record<string, any>) => void} set
 * @param {(key: string, ...args: unknown[]) => string} t
 */
function clipSettings({ stride, frames, propagation }, tracker, set, t) {
  const strides = STRIDES.map((value) => [value, t(`dialog.stride.${value}`)]);
  const ways = ["memory", "one_token", ...(tracker ? ["sam2"] : [])].map((value) => [value, t(`dialog.propagation.${value}`)]);
  const shown = element("output", {}, String(frames));
  const range = element("input", {
    type: "range",
    min: 1,
    max: MOST_FRAMES,
    value: frames,
    oninput: ({ target }) => (shown.textContent = target.value),
    onchange: ({ target }) => set({ frames: Number(target.value) }),
  });
  return [
    choice("stride", t("dialog.stride"), strides, stride, (value) => set({ stride: value })),
    element("label", { class: "x-field" }, t("dialog.frames"), range, shown),
    element("p", { class: "x-dim" }, t("dialog.frames.why")),
    choice("propagation", t("dialog.propagation"), ways, propagation, (value) => set({ propagation: value })),
    tracker && element("p", { class: "x-dim" }, t("dialog.propagation.why")),
  ];
}

/**
 * One of several, as radio buttons.
 *
 * @template V
 * @param {string} name
 * @param {string} legend
 * @param {[V, string][]} values
 * @param {V} now
 * @param {(value: V) => void} onChoose
 */
function choice(name, legend, values, now, onChoose) {
  const radio = ([value, text]) =>
    element(
      "label",
      { class: "x-check" },
      element("input", { type: "radio", name: `x-${name}-${made}`, checked: value === now, onchange: () => onChoose(value) }),
      element("span", {}, text),
    );
  return element("fieldset", { class: "x-checks" }, element("legend", {}, legend), ...values.map(radio));
}

/** @param {string} text @param {Record<string, any>} attributes of the box */
const check = (text, attributes) =>
  element("label", { class: "x-check" }, element("input", { type: "checkbox", ...attributes }), element("span", {}, text));
