/**
 * Elements and icons made by code, so that text stays text: nothing here ever parses HTML.
 *
 *   element("button", { class: "x-button", onclick: save }, "Save")
 */

const SVG = "http://www.w3.org/2000/svg";

/** Strokes on a 20 x 20 grid. */
const ICONS = {
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  retry: "M15.5 10a5.5 5.5 0 1 1-1.8-4.1M14 2.8v3.4h-3.4",
  edit: "M4 16l.8-3.4L13 4.4a1.4 1.4 0 0 1 2 0l.6.6a1.4 1.4 0 0 1 0 2L7.4 15.2z",
  copy: "M7 7h9v9H7zM13 7V4H4v9h3",
  check: "M4.5 10.5l3.5 3.5 7.5-8",
  chevron: "M6 8l4 4 4-4",
  more: "M4.5 9.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM10 9.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6zM15.5 9.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6z",
  eye: "M2 10s3-5.5 8-5.5 8 5.5 8 5.5-3 5.5-8 5.5S2 10 2 10zM10 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z",
  hidden: "M3 3l14 14M8 5c.6-.2 1.3-.3 2-.3 5 0 8 5.3 8 5.3a13 13 0 0 1-2.3 2.9M5 6.4A13 13 0 0 0 2 10s3 5.3 8 5.3c1.2 0 2.3-.3 3.3-.8",
  solo: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v2M10 16v2M2 10h2M16 10h2",
  fix: "M10 3v14M3 10h14M6.5 10a3.5 3.5 0 1 0 7 0 3.5 3.5 0 0 0-7 0z",
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  download: "M10 3v10M6 9.5l4 4 4-4M4 16.5h12",
};

/**
 * @param {string} tag
 * @param {Record<string, any>} attributes `on…` functions listen; true is an empty attribute;
 *   null, undefined and false are left out
 * @param {...(Node|string|null|undefined|false)} children strings become text
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const looks = { viewBox: "0 0 20 20", width: "18", height: "18", class: "x-icon", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(looks)) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/**
 * A button that shows an icon; its name is read aloud and shown as a tooltip.
 *
 * @param {keyof typeof ICONS} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Record<string, any>} more attributes
 */
export function iconButton(name, label, onclick, more = {}) {
  return element(
    "button",
    { type: "button", class: "x-icon-button", "aria-label": label, title: label, onclick, ...more },
    icon(name),
  );
}

/** Put children into a place only when what they show has changed. */
export function createSlots() {
  /** @type {Map<Element, unknown[]>} */
  const shown = new Map();
  /**
   * @param {Element} place
   * @param {unknown[]} values compared one by one, by identity
   * @param {() => (Node|string)[]} draw
   */
  return (place, values, draw) => {
    const before = shown.get(place);
    if (before && before.length === values.length && before.every((old, i) => Object.is(old, values[i]))) return;
    shown.set(place, values);
    place.replaceChildren(...draw());
  };
}
