/**
 * A button that opens a menu, after the menu button pattern of the ARIA Authoring Practices.
 *
 * The menu is a native popover: it lies above everything, is not cut off by what scrolls, and
 * goes away on Escape or on a press outside. Arrow keys, Home, End and first letters move in it.
 */
import { element, icon } from "./element.js";

const GAP = 4; // px between button and menu

/**
 * @typedef {{id: string, title: string, checked?: boolean, danger?: boolean, disabled?: boolean}} Item
 */

/**
 * @param {{
 *   button: HTMLButtonElement,
 *   label: string,
 *   items: () => Item[],
 *   onChoose: (id: string) => void,
 * }} menu items are asked for each time it opens; an item with `checked` is one of a choice
 * @returns {HTMLElement} the button and its menu
 */
export function menuButton({ button, label, items, onChoose }) {
  const list = element("div", { class: "x-menu", role: "menu", popover: "auto", "aria-label": label });
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  const entries = () => [...list.querySelectorAll("button:not(:disabled)")];

  function open(last = false) {
    list.replaceChildren(...items().map(entry));
    list.showPopover();
    place(list, button);
    const all = entries();
    (all.find((each) => each.getAttribute("aria-checked") === "true") ?? all.at(last ? -1 : 0))?.focus();
  }

  /** @param {Item} item */
  function entry({ id, title, checked, danger, disabled }) {
    const role = checked === undefined ? "menuitem" : "menuitemradio";
    return element(
      "button",
      {
        type: "button",
        role,
        tabindex: "-1",
        class: danger ? "x-menu-item x-danger" : "x-menu-item",
        "aria-checked": checked === undefined ? null : String(checked),
        disabled,
        onclick: () => {
          list.hidePopover();
          button.focus();
          onChoose(id);
        },
      },
      element("span", { class: "x-menu-mark" }, checked ? icon("check") : null),
      title,
    );
  }

  list.addEventListener("toggle", ({ newState }) => {
    button.setAttribute("aria-expanded", String(newState === "open"));
  });
  list.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const all = entries();
    const to = target(event.key, all, all.indexOf(document.activeElement));
    if (event.key === "Tab") list.hidePopover();
    if (to) {
      event.preventDefault();
      to.focus();
    }
  });
  button.addEventListener("click", (event) => {
    event.preventDefault();
    if (list.matches(":popover-open")) list.hidePopover();
    else open();
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    event.stopPropagation();
    open(event.key === "ArrowUp");
  });
  // Known as the menu's own, the button does not dismiss it just to open it again.
  button.popoverTargetElement = list;
  return element("span", { class: "x-menu-place" }, button, list);
}

/**
 * @param {string} key
 * @param {HTMLElement[]} all
 * @param {number} at
 */
function target(key, all, at) {
  if (key === "ArrowDown") return all[(at + 1) % all.length];
  if (key === "ArrowUp") return all.at(at <= 0 ? -1 : at - 1);
  if (key === "Home") return all[0];
  if (key === "End") return all.at(-1);
  if (key.length !== 1 || key === " ") return undefined;
  const begins = (each) => each.textContent.trim().toLowerCase().startsWith(key.toLowerCase());
  return [...all.slice(at + 1), ...all.slice(0, at + 1)].find(begins);
}

/**
 * Below the button, or above where there is more room; never beyond the window.
 *
 * @param {HTMLElement} list
 * @param {HTMLElement} button
 */
function place(list, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = at.bottom + GAP + height <= innerHeight || at.top < innerHeight - at.bottom;
  const left = Math.max(GAP, Math.min(at.left, innerWidth - width - GAP));
  list.style.left = `${left}px`;
  list.style.top = `${Math.max(GAP, below ? at.bottom + GAP : at.top - GAP - height)}px`;
}
