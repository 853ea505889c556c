/**
 * One workspace: a picture or a clip, what is said about it, and the objects found in it.
 *
 * This file only connects. What is known lives in the store, masks in their cache, and each
 * part of the page (stage, player, chat, objects ...) draws what it finds there and calls one of
 * the actions. Requests to the model go through `runs`, everything else through `server`.
 */
import { createActions } from "./actions.js";
import { mountChat } from "./chat.js";
import { mountEverything } from "./everything.js";
import { MaskCache } from "./masks.js";
import { mountObjects } from "./objects.js";
import { comeBack, leave, look } from "./revisit.js";
import { createRuns } from "./runs.js";
import { createServer, ServerError } from "./server.js";
import { mountShortcuts } from "./shortcuts.js";
import { mountStage } from "./stage.js";
import { mountStart } from "./start.js";
import { createStore, EMPTY } from "./store.js";
import { createSync } from "./sync.js";
import { preferredLanguage, translate } from "./texts.js";
import { mountTimeline } from "./timeline.js";
import { mountToolbar } from "./toolbar.js";
import { mountTransport } from "./transport.js";

/**
 * @param {HTMLElement} element the Gradio component
 * @param {{kind: "image"|"video", trigger: Function, server: object, watch: Function, props: any}} gradio
 */
export async function mount(element, { kind, trigger, server: functions, watch, props }) {
  const root = element.querySelector(".x-workspace");
  const language = preferredLanguage();
  const t = translate(language);
  root.lang = language === "zh" ? "zh-CN" : "en";
  const store = createStore({ ...EMPTY, language });
  const masks = new MaskCache();
  const server = createServer(functions, t, language);
  mountNotice(root, store, t);

  const sync = createSync(store, masks, (first, last) => server.call("masks", { first, last }), fail);
  const runs = createRuns({
    send: (payload) => trigger("act", { ...payload, language }),
    alive: () => server.call("state"),
    onStart: (run, request) => actions.started(run, request),
    onEvent: (run, event, request) => actions.heard(run, event, request),
    onLost: (run, error, request) => actions.heard(run, { kind: "error", text: error.message }, request),
  });
  watch("value", () => runs.take(props.value));

  /** @param {Error} error */
  function fail(error) {
    store.set({ notice: { kind: "error", text: error.message } });
    if (!(error instanceof ServerError)) throw error;
    if (error.expired) actions.expired();
  }

  const actions = createActions({ kind, store, masks, server, runs, sync, fail, t, root });
  const before = comeBack(kind);
  try {
    actions.facts = await server.hello(kind, language, before?.token);
  } catch (error) {
    fail(error);
    return;
  }
  const { facts } = actions;
  const { name, trained } = facts.model;
  root.querySelector(".x-model").textContent = t("page.answers", name, trained);
  root.querySelector(".x-kept").textContent = t("page.kept", facts.idle_minutes);

  const at = (place) => root.querySelector(`.x-${place}-place`);
  mountStart(root, { kind, limits: facts.limits, examples: facts.examples }, actions, t);
  mountToolbar(at("toolbar"), store, actions, t);
  if (kind === "image" && facts.tracker) mountEverything(at("toolbar"), store, actions, t);
  mountStage(at("stage"), store, masks, actions, t);
  if (kind === "video") {
    mountTransport(at("transport"), store, actions, t);
    mountTimeline(at("timeline"), store, actions, t, masks);
  }
  actions.chat = mountChat(at("chat"), store, actions, t);
  mountObjects(at("objects"), store, actions, t);
  mountShortcuts(root, store, actions, t);
  mountHead(root, kind, store, actions, t);
  addEventListener("pagehide", (event) => {
    if (event.persisted) return;
    const { medium, frame } = store.get();
    leave(kind, { token: server.token(), opened: medium !== null, frame, shown: root.offsetParent !== null });
    server.leave();
  });
  if (facts.back) actions.resume(facts.back, before.frame);
  if (before && kind === "video" && !before.shown) look("image");
  root.dataset.ready = "true";
}

/** The line above the stage: what is open, and a way to something else. */
function mountHead(root, kind, store, actions, t) {
  const find = (selector) => root.querySelector(selector);
  const settings = find(".x-settings");
  settings.textContent = t("page.settings");
  settings.addEventListener("click", () => actions.openSettings());
  store.on(["medium"], ({ medium }) => {
    find(".x-start").hidden = medium !== null;
    find(".x-work").hidden = medium === null;
    root.dataset.medium = medium ? medium.id : "";
    if (!medium) return;
    find(".x-name").textContent = medium.name;
    const facts = [t("page.size", ...medium.source)];
    if (kind === "video") facts.push(t("page.frames", medium.frames), t("page.seconds", medium.seconds.toFixed(1)));
    if (medium.note) facts.push(medium.note);
    find(".x-facts").textContent = facts.join(" · ");
  });
  store.on(["busy"], ({ busy }) => {
    root.dataset.busy = busy ? "true" : "false";
  });
}

/** One line at the bottom for what went wrong, until it is dismissed. */
function mountNotice(root, store, t) {
  const bar = root.querySelector(".x-notice");
  const [text, close] = bar.children;
  close.textContent = t("page.dismiss");
  close.addEventListener("click", () => store.set({ notice: null }));
  store.on(["notice"], ({ notice }) => {
    bar.hidden = notice === null;
    bar.dataset.kind = notice?.kind ?? "";
    text.textContent = notice?.text ?? "";
  });
}
