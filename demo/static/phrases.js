/**
 * Answers whose words speak of objects.
 *
 * The server counts in code points, JavaScript in UTF-16 units: an emoji is one there and two
 * here, so a reply is cut as an array of code points.
 *
 *   cut("a 🐶 dog", [{ start: 2, end: 7, objects: [1] }])
 *   // [{ text: "a ", objects: [] }, { text: "🐶 dog", objects: [1] }]
 *
 * Pieces are written into the page as text nodes and buttons, and what has not changed keeps its
 * node, so that focus and selection survive while the answer still grows.
 */
import { element } from "./element.js";

/**
 * Cut a reply into plain pieces and phrases. A phrase whose end has not been written yet, or that
 * lies across an earlier one, stays plain.
 *
 * @param {string} reply
 * @param {readonly {start: number, end: number, objects: number[]}[]} phrases
 * @returns {{text: string, objects: number[]}[]}
 */
export function cut(reply, phrases) {
  const letters = Array.from(reply);
  const pieces = [];
  let at = 0;
  const add = (end, objects) => {
    if (end > at) pieces.push({ text: letters.slice(at, end).join(""), objects });
    at = Math.max(at, end);
  };
  for (const { start, end, objects } of [...phrases].sort((a, b) => a.start - b.start)) {
    if (start < at || end <= start || end > letters.length || objects.length === 0) continue;
    add(start, []);
    add(end, objects);
  }
  add(letters.length, []);
  return pieces;
}

/**
 * @param {HTMLElement} place
 * @param {{text: string, objects: number[]}[]} pieces
 * @param {(piece: {text: string, objects: number[]}) => HTMLElement} makeButton
 */
export function writePieces(place, pieces, makeButton) {
  pieces.forEach((piece, index) => {
    const old = place.childNodes[index];
    const key = piece.objects.length > 0 ? `${piece.objects} ${piece.text}` : "";
    const fits = key ? old instanceof HTMLElement && old.dataset.key === key : old instanceof Text;
    if (fits && !key && old.data !== piece.text) old.data = piece.text;
    if (fits) return;
    const made = key ? makeButton(piece) : document.createTextNode(piece.text);
    if (key) made.dataset.key = key;
    if (old) old.replaceWith(made);
    else place.append(made);
  });
  while (place.childNodes.length > pieces.length) place.lastChild.remove();
}

/**
 * Words that stand for objects: hovering glows them, a click shows them alone (one after the
 * other, if they are several), a double click goes to where they are first seen.
 *
 * @param {{text: string, objects: number[]}} piece
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 */
export function phraseButton({ text, objects }, store, actions) {
  const alive = () => objects.filter((id) => store.get().objects.some((each) => each.id === id));
  const next = () => {
    const ids = alive();
    return ids[ids.indexOf(store.get().solo) + 1] ?? null;
  };
  const hover = () => actions.hover(alive()[0] ?? null);
  const leave = () => actions.hover(null);
  const solo = () => {
    const chosen = next();
    actions.solo(chosen);
    if (chosen !== null) actions.hover(chosen);
  };
  const jump = () => {
    const [first] = alive();
    if (first !== undefined) actions.jumpTo(first);
  };
  // A <button> cannot break across lines; words in a sentence must.
  return element(
    "span",
    {
      class: "x-phrase",
      role: "button",
      tabindex: "0",
      "data-objects": objects.join(" "),
      onmouseenter: hover,
      onmouseleave: leave,
      onfocus: hover,
      onblur: leave,
      onclick: solo,
      ondblclick: () => {
        actions.solo(null); // the two clicks have left one of several
        jump();
      },
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        event.stopPropagation();
        if (event.shiftKey) jump();
        else solo();
      },
    },
    element("span", { class: "x-phrase-text" }, text),
    element("sup", { class: "x-phrase-number" }),
  );
}

/**
 * Give all phrases under a place the colours and numbers their objects have now.
 *
 * @param {HTMLElement} place
 * @param {{objects: any[], hovered: number|null, solo: number|null}} state
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function paintPhrases(place, { objects, hovered, solo }, t) {
  for (const phrase of place.querySelectorAll(".x-phrase")) {
    const ids = phrase.dataset.objects.split(" ").map(Number);
    const named = ids.map((id) => objects.find((each) => each.id === id)).filter(Boolean);
    const gone = named.length === 0;
    phrase.classList.toggle("x-gone", gone);
    phrase.classList.toggle("x-glow", ids.includes(hovered));
    phrase.setAttribute("aria-pressed", String(ids.includes(solo)));
    phrase.setAttribute("aria-disabled", String(gone));
    phrase.tabIndex = gone ? -1 : 0;
    phrase.title = t(gone ? "chat.phrase.gone" : "chat.phrase.hint");
    phrase.style.setProperty("--x-of", gone ? "transparent" : named[0].colour);
    phrase.lastChild.textContent = named.map(({ id }) => id).join("·");
  }
}
