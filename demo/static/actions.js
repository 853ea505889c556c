/**
 * Everything a person can do here, by name; whatever part of the page it is done from.
 */
import { openSettings } from "./dialogs.js";
import { effectText } from "./effects.js";
import { kept, propose, searching, TOOL } from "./everything.js";
import { createFrames } from "./frames.js";
import { adopt } from "./marks.js";
import { EMPTY } from "./store.js";

const QUIET = new Set(["mark", TOOL]); // requests that the chat does not tell of

/**
 * @param {any} page the workspace's parts: store, server, runs, sync, masks ...
 */
export function createActions(page) {
  const { kind, store, server, runs, sync, fail, t } = page;
  const get = store.get;
  /** @type {any} */
  let frames = null;

  /** Ask the server something that changes the list. */
  async function change(name, args = {}) {
    try {
      const answer = await server.call(name, args);
      if (answer.state) sync.state(answer.state, false);
      return answer;
    } catch (error) {
      fail(error);
      return null;
    }
  }

  /** Show a medium that the server has opened. */
  function show(answer) {
    frames?.dispose();
    runs.clear();
    sync.clear();
    const { language, look, tool } = get();
    store.set({ ...EMPTY, language, look, tool });
    const { medium } = answer;
    frames = createFrames(medium, { isReady: async () => (await server.call("proxy")).ready });
    actions.frames = frames;
    actions.chat.clear();
    store.set({ medium, frame: 0 });
    sync.state(answer.state, false);
  }

  /** What every request to the model carries. */
  const request = (kind_, rest) => ({
    token: server.token(),
    kind: kind_,
    text: "",
    drawings: [],
    task: null,
    object: null,
    frame: get().frame,
    reach: null,
    language: get().language,
    ...rest,
  });

  const actions = {
    kind,
    facts: null,
    frames: null,
    chat: null,

    // Opening

    async openFile(file) {
      const { bytes } = actions.facts; // refused here, as a server that hangs up halfway cannot say why
      if (file.size > bytes) {
        actions.notice(t("page.tooLarge", file.name, (file.size / 1e6).toFixed(0), (bytes / 1e6).toFixed(0)), "error");
        return;
      }
      store.set({ busy: { run: "open", stage: t("page.uploading", 0), done: 0, total: 1 } });
      try {
        const answer = await server.upload(file, kind, (share) => {
          const stage = share < 1 ? t("page.uploading", Math.round(100 * share)) : t("page.reading");
          store.set({ busy: { run: "open", stage, done: share, total: 1 } });
        });
        show(answer);
      } catch (error) {
        fail(error);
      } finally {
        if (get().busy?.run === "open") store.set({ busy: null });
      }
    },

    async openExample(id, { keepMedium = false } = {}) {
      const example = actions.facts.examples.find((each) => each.id === id);
      if (!keepMedium) {
        try {
          show(await server.call("open", { example: id }));
        } catch (error) {
          fail(error);
          return;
        }
      }
      if (get().medium) actions.send(example.question, { task: example.task, drawings: keepMedium ? [] : example.drawings });
      else actions.chat.suggest(example.question);
    },

    /** The page was loaded again, and what it had is still there. */
    resume(back, frame) {
      show(back);
      actions.chat.restore(back.state.turns);
      actions.goto(frame);
    },

    /** The server has let go of it all: begin anew, and say so. */
    async expired() {
      const { notice } = get();
      runs.clear();
      try {
        await server.hello(kind, get().language);
      } catch {
        return;
      }
      frames?.dispose();
      frames = actions.frames = null;
      sync.clear();
      store.set({ ...EMPTY, language: get().language, look: get().look, notice });
      actions.chat.clear();
    },

    // Asking the model

    send(text, { task = null, drawings = get().drawings } = {}) {
      const { medium, range, direction, frame } = get();
      if (!medium) return;
      const reach = kind === "video" && range ? { start: null, first: range[0], last: range[1], direction, best: false } : null;
      runs.ask(request("ask", { text, task, drawings, frame, reach }));
      store.set({ drawings: [] });
    },

    mark(drawings, object) {
      if (get().medium && drawings.length > 0) runs.mark(request("mark", { drawings, object }));
    },

    propagate(object, { direction = get().direction, range = get().range } = {}) {
      if (object === null) {
        actions.notice(t("page.selectFirst"), "info");
        return;
      }
      const last = get().medium.frames - 1;
      const [first, end] = range ?? [0, last];
      const { frame } = get();
      const reach = { start: frame, first: Math.min(first, frame), last: Math.max(end, frame), direction, best: false };
      runs.ask(request("propagate", { object, reach }));
    },

    everything(search) {
      searching(store);
      runs.ask(request(TOOL, { search }));
    },

    /** Make an object of what a search has found. */
    async keep(segment) {
      const answer = await change("keep", { segment });
      if (answer) kept(store, segment, answer.object);
    },

    stop() {
      server.call("stop").catch(fail);
    },

    async rewind(turn, text = null, options = {}) {
      runs.clear();
      store.set({ busy: null });
      const answer = await change("rewind", { turn });
      if (!answer) return;
      actions.chat.restore(answer.state.turns);
      if (text !== null) actions.send(text, options);
    },

    async forget() {
      runs.clear();
      store.set({ busy: null });
      if (await change("forget")) actions.chat.clear();
    },

    // The list of objects

    undo: () => change("undo"),
    redo: () => change("redo"),
    rename: (object, text) => change("rename", { object, text }),
    remove: (objects) => change("delete", { objects }),
    merge: (objects) => change("merge", { objects }),
    show: (objects) => change("show", { objects }),
    hide: (objects) => change("hide", { objects }),
    only: (objects) => change("only", { objects }),

    select: (id) => store.set({ selected: id }),
    hover: (id) => store.set({ hovered: id }),
    solo: (id) => store.set({ solo: get().solo === id ? null : id }),

    // Time

    goto(frame) {
      const { medium } = get();
      if (!medium) return;
      actions.pause();
      store.set({ frame: Math.max(0, Math.min(medium.frames - 1, Math.round(frame))) });
    },
    jumpTo(id) {
      const object = get().objects.find((each) => each.id === id);
      if (object && object.first !== null) actions.goto(object.first);
      store.set({ selected: id });
    },
    play() {
      const { medium, frame, playing } = get();
      if (!medium || medium.frames < 2 || playing) return;
      store.set({ playing: true });
      const from = frame >= medium.frames - 1 ? 0 : frame;
      frames.play(from, (index) => store.set({ frame: index }), () => store.set({ playing: false }));
    },
    pause() {
      if (!get().playing) return;
      frames.pause();
      store.set({ playing: false });
    },

    // The rest

    exportAll: (formats, look = get().look) =>
      server.call("export", { formats, opacity: look.opacity, labels: look.labels, effect: effectText(look) }),
    estimate: (text) => server.call("estimate", request("ask", { text, drawings: get().drawings })),
    openSettings: () => openSettings(store, actions, t),
    options: (options) => change("options", options),
    setTool: (tool) => store.set({ tool }),
    notice: (text, kind_ = "info") => store.set({ notice: { kind: kind_, text } }),

    // What `runs` reports

    started(run, asked) {
      store.set({ busy: { run, kind: asked.kind, stage: "", done: 0, total: 0 }, notice: null });
      if (!QUIET.has(asked.kind)) actions.chat.begin(run, asked);
    },

    heard(run, event, asked) {
      if (event.kind === "segment") propose(store, event);
      else if (event.kind === "mask") sync.mask(event);
      else if (event.kind === "state") sync.state(event.state, true);
      else if (event.kind === "progress") store.set({ busy: { ...get().busy, ...event, kind: asked.kind, run } });
      else if (event.kind === "waiting") store.set({ busy: { ...get().busy, ahead: event.ahead, run } });
      else if (event.kind === "done" || event.kind === "error") store.set({ busy: null });
      if (asked.kind === TOOL) searched(event);
      else if (asked.kind === "mark") marked(event, asked);
      else actions.chat.event(run, event);
    },
  };

  /** A search has ended, well or not. */
  function searched(event) {
    if (event.kind === "error") actions.notice(event.text, "error");
    if (event.kind === "done") store.set({ searched: true });
  }

  /** Marks have been answered: their object is the one that further marks correct. */
  function marked(event, asked) {
    if (event.kind === "error" || event.kind === "warning") actions.notice(event.text, event.kind);
    if (event.kind !== "done") return;
    const made = asked.object ?? event.objects[0] ?? null;
    const more = runs.more(asked);
    if (more) more.object = made; // the server gives the marks of a request their object's number
    if (asked.object === null && made !== null) adopt(store, asked.drawings, made);
  }

  return actions;
}
