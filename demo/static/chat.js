/**
 * The conversation: questions, streamed answers whose words are tied to masks, and the box.
 *
 * What is said lives in the store as `messages` and is changed by events only (see
 * chat_state.js); this file keeps one piece of page for each message. A screen reader hears an
 * answer once, when it is complete, and not letter by letter.
 */
import { createTranscript, grouped, missed } from "./chat_state.js";
import { mountComposer } from "./composer.js";
import { confirm } from "./dialogs.js";
import { element, icon } from "./element.js";
import { createMessage } from "./messages.js";

const SUGGESTIONS = [1, 2, 3, 4];
const NEAR_END = 60; // px: who is this near the end wants to follow it

/**
 * @param {HTMLElement} root
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountChat(root, store, actions, t) {
  const transcript = createTranscript(store);
  /** @type {Map<string, ReturnType<typeof createMessage>>} */
  const shown = new Map();
  let atEnd = true;

  const fresh = element("button", { type: "button", class: "x-button x-plain", onclick: begin }, icon("plus"), t("chat.new"));
  const empty = element("div", { class: "x-empty" });
  const log = element("div", { class: "x-log", role: "log", "aria-live": "off", "aria-label": t("chat.title"), tabindex: "0" });
  const spoken = element("p", { class: "x-sr", role: "status", "aria-live": "polite" });
  const header = element("header", { class: "x-chat-head" }, element("h2", {}, t("chat.title")), fresh);
  const chat = element("div", { class: "x-chat" }, header, log, spoken);
  root.append(chat);
  const composer = mountComposer(chat, store, actions, t);

  async function begin() {
    const sure = await confirm({ title: t("chat.new"), text: t("chat.new.text"), yes: t("chat.new.yes") }, t);
    if (sure) actions.forget();
  }

  function drawEmpty() {
    const { medium } = store.get();
    const suggestion = (text) =>
      element("button", { type: "button", class: "x-button x-suggestion", onclick: () => actions.send(text) }, text);
    empty.replaceChildren(
      element("p", { class: "x-dim" }, t(medium ? "chat.empty" : "chat.ask.nothing")),
      ...(medium ? SUGGESTIONS.map((number) => suggestion(t(`chat.suggest.${medium.kind}.${number}`))) : []),
    );
  }

  function draw() {
    const messages = grouped(store.get().messages ?? []);
    const keys = new Set(messages.map((each) => each.key));
    for (const [key, view] of shown) {
      if (keys.has(key)) continue;
      view.root.remove();
      shown.delete(key);
    }
    messages.forEach((message, index) => {
      const isNew = !shown.has(message.key);
      if (isNew) shown.set(message.key, createMessage(store, actions, composer, t));
      const view = shown.get(message.key);
      if (log.children[index] !== view.root) log.insertBefore(view.root, log.children[index] ?? null);
      if (view.message !== message) view.update(message);
      view.message = message;
    });
    if (messages.length > 0) empty.remove();
    else log.append(empty);
    fresh.hidden = messages.length === 0;
    if (atEnd) log.scrollTop = log.scrollHeight;
  }

  /** @param {string} run @param {any} event */
  function hear(run, event) {
    transcript.heard(run, event);
    if (event.kind !== "done" && event.kind !== "error") return;
    const message = (store.get().messages ?? []).findLast((each) => each.run === run);
    if (!message) return;
    const missing = message.missing.map((each) => missed(t, each));
    const end = message.status === "stopped" ? t("chat.stopped") : t("chat.finished");
    spoken.textContent = [message.reply, ...missing, ...message.warnings, message.error ?? end].filter(Boolean).join(" ");
  }

  // A box that grows, or a bar that appears, must not push the end out of sight.
  const keeper = new ResizeObserver(() => {
    if (atEnd) log.scrollTop = log.scrollHeight;
  });
  keeper.observe(log);
  log.addEventListener("scroll", () => {
    atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
  });

  const offs = [
    store.on(["messages"], draw),
    store.on(["objects"], () => {
      for (const view of shown.values()) view.update(view.message);
    }),
    store.on(["hovered", "solo"], () => {
      for (const view of shown.values()) view.paint();
    }),
    store.on(["medium"], drawEmpty),
  ];
  drawEmpty();
  draw();

  return {
    /** A request goes out. @param {string} run @param {any} request */
    begin(run, request) {
      spoken.textContent = "";
      atEnd = true;
      transcript.asked(run, request);
    },
    event: hear,
    /** Bring the chat in line with the server's turns. @param {any[]} turns */
    restore: transcript.recalled,
    clear: transcript.clear,
    /** Put a question into the box. @param {string} text */
    suggest: composer.suggest,
    destroy() {
      for (const off of offs) off();
      keeper.disconnect();
      composer.destroy();
      chat.remove();
    },
  };
}
