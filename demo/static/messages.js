/**
 * One question and its answer on the page.
 *
 * `update` is called with each new state of the message; every part redraws only when what it
 * shows has changed, so a streamed answer does not disturb focus, selection or an open menu.
 */
import { counted, estimated, seconds, share } from "./amounts.js";
import { missed } from "./chat_state.js";
import { createSlots, element, icon, iconButton } from "./element.js";
import { menuButton } from "./menus.js";
import { cut, paintPhrases, phraseButton, writePieces } from "./phrases.js";

const KINDS = ["point", "box", "scribble", "mask"];
const STAGES = { "looking at frames": "looking", "segmenting frames": "segmenting", "carrying masks": "carrying", "choosing a frame": "choosing", "loading the model": "loading" };

/**
 * @typedef {import("./chat_state.js").Message} Message
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {any} actions
 * @param {{edit: (message: Message) => void}} composer
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function createMessage(store, actions, composer, t) {
  const slot = createSlots();
  /** @type {Message} */
  let message;
  const place = (name, attributes = {}) => element("div", { class: `x-${name}`, ...attributes });
  const question = place("question");
  const chip = place("route");
  const reply = place("reply");
  const also = place("also");
  const notes = place("notes");
  const progress = place("progress");
  const stop = element(
    "button",
    { type: "button", class: "x-button x-stop", onclick: () => actions.stop() },
    icon("stop"),
    t("chat.stop"),
  );
  const running = element("div", { class: "x-running" }, progress, stop);
  const tools = place("answer-tools");
  const answer = element("div", { class: "x-answer" }, chip, reply, also, notes, running, tools);
  const root = element("article", { class: "x-message" }, question, answer);

  /** Ask the same once more, perhaps as another task; what came after it goes. */
  function again(task) {
    const { turn, text, drawings } = message;
    const remembered = (store.get().turns ?? []).some((each) => each.turn === turn);
    if (remembered) actions.rewind(turn, text, { task, drawings });
    else actions.send(text, { task, drawings });
  }

  const objectButton = (id) => {
    const object = store.get().objects.find((each) => each.id === id);
    return object && phraseButton({ text: object.name, objects: [id] }, store, actions);
  };

  /** In the page's language where that is known, else as the server says. */
  function titleOf(task, title) {
    const text = t(`chat.task.${task}`);
    return text === `chat.task.${task}` ? title : text;
  }

  function drawQuestion() {
    const counts = KINDS.map((kind) => [kind, message.drawings.filter((each) => each.kind === kind).length]);
    const chips = counts.filter(([, count]) => count > 0).map(([kind, count]) => counted(t, `chat.mark.${kind}`, count));
    return [
      message.text && element("p", { class: "x-asked" }, message.text),
      chips.length > 0 && element("p", { class: "x-marks" }, ...chips.map((text) => element("span", { class: "x-mark" }, text))),
    ].filter(Boolean);
  }

  function drawRoute() {
    const { route, status } = message;
    if (!route) return [];
    const tasks = (actions.facts?.tasks ?? []).map(({ id, title }) => ({ id, title: titleOf(id, title) }));
    const name = titleOf(route.task ?? "list", route.chip || route.task);
    const why = route.reason || null;
    const known = message.turn !== null && status !== "running" && tasks.length > 0 && message.text !== "";
    if (!known) return [element("span", { class: "x-chip", title: why }, name)];
    const button = element(
      "button",
      { type: "button", class: "x-chip", title: why, "aria-label": t("chat.route", name) },
      name,
      icon("chevron"),
    );
    const items = () => tasks.map(({ id, title }) => ({ id, title, checked: id === route.task }));
    return [menuButton({ button, label: t("chat.override"), items, onChoose: again })];
  }

  function drawAlso() {
    const spoken = new Set(cut(message.reply, message.phrases).flatMap((piece) => piece.objects));
    const rest = message.objects.filter((id) => !spoken.has(id)).map(objectButton).filter(Boolean);
    if (rest.length === 0) return [];
    const key = message.kind === "mark" ? "chat.marked" : message.reply ? "chat.also" : "chat.found";
    return [element("span", { class: "x-dim" }, t(key)), ...rest];
  }

  function drawMissing({ what, candidates, frames }) {
    const near = candidates.filter(([name]) => name !== what);
    const itself = candidates.find(([name]) => name === what);
    const choose = (name) => {
      const listed = store.get().objects.find((each) => each.name === name);
      if (listed) actions.select(listed.id);
      else actions.send(name);
    };
    const button = ([name, score]) =>
      element(
        "button",
        { type: "button", class: "x-button x-candidate", onclick: () => choose(name) },
        element("span", {}, name),
        element("span", { class: "x-dim" }, share(score)),
      );
    return element(
      "div",
      { class: "x-missing" },
      element("p", {}, missed(t, { what, frames })),
      itself && element("p", { class: "x-dim" }, t("chat.unlikely", share(itself[1]))),
      near.length > 0 && element("p", { class: "x-dim" }, t("chat.nearest")),
      near.length > 0 && element("div", { class: "x-candidates" }, ...near.map(button)),
    );
  }

  function drawNotes() {
    const { missing, warnings, error } = message;
    return [
      ...missing.map(drawMissing),
      ...warnings.map((text) => element("p", { class: "x-note" }, text)),
      ...(error ? [element("p", { class: "x-note x-error" }, error)] : []),
    ];
  }

  function progressText() {
    const { ahead, progress: now, estimate } = message;
    if (ahead > 0) return [counted(t, "chat.ahead", ahead)];
    if (now) {
      const stage = STAGES[now.stage] ? t(`chat.stage.${STAGES[now.stage]}`) : now.stage;
      const left = now.left === null || now.left === undefined ? null : t("chat.left", seconds(now.left));
      return [stage, now.total > 1 && `${now.done} / ${now.total}`, left].filter(Boolean);
    }
    if (!estimate) return [t("chat.working")];
    return estimated(estimate, t);
  }

  function drawProgress() {
    const { progress: now } = message;
    const known = now && now.total > 0 && message.ahead === 0;
    return [
      element("span", { class: "x-progress-text" }, progressText().join(" · ")),
      element("progress", {
        max: known ? now.total : null,
        value: known ? now.done : null,
        "aria-label": t("chat.progress"),
      }),
    ];
  }

  function drawTools() {
    const { status, kind, seconds: took } = message;
    if (status === "running") return [];
    const ended = [status === "stopped" && t("chat.stopped"), took !== null && seconds(took)].filter(Boolean);
    return [
      kind === "ask" && iconButton("retry", t("chat.retry"), () => again(message.task)),
      kind === "ask" && message.text && iconButton("edit", t("chat.edit"), () => composer.edit(message)),
      message.reply && iconButton("copy", t("chat.copy"), (event) => copy(message.reply, event.currentTarget, t)),
      ended.length > 0 && element("span", { class: "x-dim" }, ended.join(" · ")),
    ].filter(Boolean);
  }

  return {
    root,
    /** @param {Message} next */
    update(next) {
      message = next;
      root.dataset.status = next.status;
      root.dataset.kind = next.kind;
      const { objects } = store.get();
      slot(question, [next.text, next.drawings], drawQuestion);
      slot(chip, [next.route, next.turn, next.status === "running"], drawRoute);
      writePieces(reply, cut(next.reply, next.phrases), (piece) => phraseButton(piece, store, actions));
      slot(also, [next.objects, next.phrases, next.reply, objects], drawAlso);
      slot(notes, [next.missing, next.warnings, next.error], drawNotes);
      running.hidden = next.status !== "running";
      slot(progress, [next.progress, next.ahead, next.estimate], drawProgress);
      slot(tools, [next.status, next.seconds, next.reply, next.turn], drawTools);
      this.paint();
    },
    paint: () => paintPhrases(answer, store.get(), t),
  };
}

/**
 * @param {string} text
 * @param {HTMLElement} button says that it is done
 * @param {(key: string) => string} t
 */
async function copy(text, button, t) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without HTTPS there is no clipboard but this one.
    const area = element("textarea", { class: "x-sr" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.replaceChildren(icon("check"));
  button.title = t("chat.copied");
  setTimeout(() => {
    button.replaceChildren(icon("copy"));
    button.title = t("chat.copy");
  }, 1500);
}
