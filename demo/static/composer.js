/**
 * The box at the bottom of the chat: what to ask next.
 *
 * Enter sends and Shift+Enter begins a line, but not while an input method is composing a
 * character. A question that is being edited replaces the old one only when it is sent. About a
 * clip, what the question is going to take is said before it is sent.
 */
import { counted, estimated } from "./amounts.js";
import { element, icon, iconButton } from "./element.js";

export const LIMIT = 10_000; // characters of a request
const NEAR = 9_000; // from here on they are counted on screen
const ROWS = 8; // that it grows to
const PAUSE = 600; // ms without a key before what it would take is asked for

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountComposer(root, store, actions, t) {
  /** @type {{turn: number, task: string|null, drawings: any[]}|null} */
  let editing = null;
  let pause = 0;

  const box = element("textarea", { class: "x-box", rows: "1", "aria-label": t("chat.box"), oninput: follow, onkeydown: key });
  const send = element("button", { type: "submit", class: "x-send", "aria-label": t("chat.send"), title: t("chat.send") }, icon("send"));
  const editor = element(
    "p",
    { class: "x-editing" },
    t("chat.editing"),
    element("button", { type: "button", class: "x-link", onclick: () => (stopEditing(), write("")) }, t("chat.cancel")),
  );
  const marks = element("p", { class: "x-pending" });
  const count = element("p", { class: "x-count", role: "status" });
  const cost = element("p", { class: "x-cost" });
  const form = element(
    "form",
    { class: "x-composer", onsubmit: (event) => (event.preventDefault(), submit()) },
    editor,
    marks,
    element("div", { class: "x-box-row" }, box, send),
    count,
    cost,
  );
  root.append(form);

  const size = () => Array.from(box.value).length;
  const usable = () => Boolean(store.get().medium) && size() <= LIMIT;
  const something = () => box.value.trim() !== "" || store.get().drawings.length > 0;

  function submit() {
    if (!usable() || !something()) return;
    const text = box.value.trim();
    const old = editing;
    stopEditing();
    write("");
    if (old) actions.rewind(old.turn, text, { task: old.task, drawings: old.drawings });
    else actions.send(text);
  }

  function key(event) {
    // 229: some browsers end the composition before they report its last key.
    const composing = event.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) {
      event.preventDefault();
      submit();
    } else if (event.key === "Escape" && editing) {
      stopEditing();
      write("");
    }
    event.stopPropagation();
  }

  function stopEditing() {
    editing = null;
    follow();
  }

  /** @param {string} text */
  function write(text) {
    box.value = text;
    follow();
  }

  function follow() {
    const { medium, drawings } = store.get();
    const length = size();
    box.disabled = !medium;
    box.placeholder = t(medium ? `chat.ask.${medium.kind}` : "chat.ask.nothing");
    send.disabled = !usable() || !something();
    editor.hidden = editing === null;
    marks.hidden = drawings.length === 0;
    marks.replaceChildren(
      counted(t, "chat.pending", drawings.length),
      iconButton("close", t("chat.pending.drop"), () => store.set({ drawings: [] })),
    );
    count.hidden = length < NEAR;
    count.classList.toggle("x-danger", length > LIMIT);
    const figures = [length, LIMIT].map((number) => number.toLocaleString("en"));
    count.textContent = length < NEAR ? "" : t(length > LIMIT ? "chat.tooLong" : "chat.length", ...figures);
    weigh();
    box.style.height = "auto";
    const line = Number.parseFloat(getComputedStyle(box).lineHeight) || 22;
    box.style.height = `${Math.min(box.scrollHeight, ROWS * line + 18)}px`;
  }

  /** Say what the text would take, once its writer pauses; of no use where it makes no sense yet. */
  function weigh() {
    cost.textContent = "";
    clearTimeout(pause);
    if (store.get().medium?.kind !== "video" || box.value.trim() === "") return;
    pause = setTimeout(async () => {
      const text = box.value.trim();
      if (store.get().busy || !usable()) return;
      const told = await actions.estimate(text).catch(() => null);
      if (told && box.value.trim() === text) cost.textContent = estimated(told, t).join(" · ");
    }, PAUSE);
  }

  const off = store.on(["medium", "drawings"], follow);
  follow();

  return {
    /** @param {string} text */
    suggest(text) {
      stopEditing();
      write(text);
      box.focus({ preventScroll: true });
    },
    /** Change an earlier question. @param {import("./chat_state.js").Message} message */
    edit({ turn, text, task, drawings }) {
      editing = turn === null ? null : { turn, task, drawings };
      write(text);
      box.focus();
      box.setSelectionRange(text.length, text.length);
    },
    destroy() {
      clearTimeout(pause);
      off();
      form.remove();
    },
  };
}
