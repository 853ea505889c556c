/**
 * The conversation as data: what was asked, and what has come back so far.
 *
 * Every function takes the messages and returns new ones, so that what the chat shows follows
 * from the list of events alone. `createTranscript` keeps them in the store, under `messages`.
 *
 *   let messages = asked([], "r1", { kind: "ask", text: "the dog" });
 *   messages = heard(messages, "r1", { kind: "text", text: "Here is " });
 *   messages = heard(messages, "r1", { kind: "done", turn: 1, seconds: 2, objects: [4] });
 *
 * @typedef {{start: number, end: number, objects: number[]}} Phrase offsets in code points
 * @typedef {{
 *   key: string, run: string|null, turn: number|null, kind: "ask"|"mark"|"propagate",
 *   text: string, drawings: any[], task: string|null,
 *   route: {chip: string, task: string, reason: string}|null,
 *   reply: string, phrases: Phrase[], objects: number[],
 *   estimate: any, ahead: number, progress: any,
 *   warnings: string[], missing: {what: string, candidates: [string, number][], frames: number}[],
 *   error: string|null, status: "running"|"done"|"stopped"|"failed", seconds: number|null,
 * }} Message
 */

/** @type {Omit<Message, "key">} */
const BLANK = Object.freeze({
  run: null,
  turn: null,
  kind: "ask",
  text: "",
  drawings: [],
  task: null,
  route: null,
  reply: "",
  phrases: [],
  objects: [],
  estimate: null,
  ahead: 0,
  progress: null,
  warnings: [],
  missing: [],
  error: null,
  status: "running",
  seconds: null,
});

const samePlace = (a, b) => a.start === b.start && a.end === b.end;

/** What each event changes; events that are not listed change nothing. */
const CHANGES = {
  routed: (_, { turn, chip, task, reason }) => ({ turn: turn ?? null, route: { chip, task, reason } }),
  estimate: (_, { kind, ...estimate }) => ({ estimate }),
  waiting: (_, { ahead }) => ({ ahead }),
  progress: (_, { kind, ...progress }) => ({ progress, ahead: 0 }),
  text: (message, { text }) => ({ reply: message.reply + text, ahead: 0 }),
  phrase: (message, { start, end, objects }) => {
    const phrase = { start, end, objects: objects ?? [] };
    return { phrases: [...message.phrases.filter((old) => !samePlace(old, phrase)), phrase] };
  },
  mask: (message, { object }) =>
    message.objects.includes(object) ? null : { objects: [...message.objects, object] },
  notfound: (message, { what, candidates, frames }) => ({
    missing: [...message.missing, { what, candidates: candidates ?? [], frames: frames ?? 1 }],
  }),
  warning: (message, { text }) => ({ warnings: [...message.warnings, text] }),
  error: (_, { text }) => ({ error: text, status: "failed" }),
  done: (message, { turn, seconds, stopped, objects }) => ({
    turn: turn ?? message.turn,
    seconds: seconds ?? null,
    status: stopped ? "stopped" : "done",
    objects: objects ?? message.objects,
  }),
};

/** Say what was not found, and in a clip on how many frames. */
export const missed = (t, { what, frames }) => t(frames > 1 ? "chat.missing.clip" : "chat.missing", what, frames);

const isRunning = (message) => message.status === "running";

/**
 * A request goes out. Whatever was running is over, as the server answers one at a time.
 *
 * @param {readonly Message[]} messages
 * @param {string} run
 * @param {{kind: Message["kind"], text?: string, drawings?: any[], task?: string|null}} request
 * @returns {Message[]}
 */
export function asked(messages, run, { kind, text = "", drawings = [], task = null }) {
  const ended = messages.map((each) => (isRunning(each) ? { ...each, status: "stopped" } : each));
  return [...ended, { ...BLANK, key: run, run, kind, text, drawings, task }];
}

/**
 * @param {readonly Message[]} messages
 * @param {string} run
 * @param {any} event
 * @returns {readonly Message[]} the very same list if the event changes nothing
 */
export function heard(messages, run, event) {
  const message = messages.findLast((each) => each.run === run);
  const change = message && isRunning(message) && CHANGES[event.kind]?.(message, event);
  if (!change) return messages;
  return messages.map((each) => (each === message ? { ...each, ...change } : each));
}

/**
 * Bring the list in line with the turns that the server remembers: a rewound turn takes what
 * came after it along, and a turn from before the page was loaded is shown as it was kept.
 *
 * @param {readonly Message[]} messages
 * @param {any[]} turns
 * @returns {readonly Message[]}
 */
export function recalled(messages, turns) {
  const remembered = new Set(turns.map((each) => each.turn));
  const oldest = turns[0]?.turn ?? -Infinity; // of a long conversation, the server tells the end
  const gone = messages.findIndex(
    ({ turn, error, status }) =>
      status !== "running" && turn !== null && !error && turn >= oldest && !remembered.has(turn),
  );
  const kept = gone < 0 ? [...messages] : [...messages.slice(0, gone), ...messages.slice(gone).filter(isRunning)];
  const shown = new Set(kept.map((each) => each.turn));
  const old = turns.filter((each) => !shown.has(each.turn)).map(fromTurn);
  // A turn that has only just begun may be remembered before its number is known here.
  if (old.length > 0 && kept.some((each) => isRunning(each) && each.turn === null)) old.pop();
  if (gone < 0 && old.length === 0) return messages;
  const place = kept.findIndex(isRunning);
  kept.splice(place < 0 ? kept.length : place, 0, ...old);
  return kept;
}

/**
 * A turn as the server keeps it. Where it tells what was drawn and what came back beside text and
 * masks, as it does after a reload, the message is as it was.
 *
 * @param {any} turn
 * @returns {Message}
 */
function fromTurn({ turn, kind, text, drawings, task, note, reply, phrases, objects, stopped, events }) {
  const message = {
    ...BLANK,
    key: `turn-${turn}`,
    turn,
    kind: kind ?? (text || reply ? "ask" : "mark"),
    drawings: drawings ?? [],
    task: events ? task : null,
    text: text ?? "",
    route: task ? { chip: note ?? "", task, reason: note ?? "" } : null,
    reply: reply ?? "",
    phrases: phrases ?? [],
    objects: objects ?? [],
    status: stopped ? "stopped" : "done",
  };
  return (events ?? []).reduce((now, event) => ({ ...now, ...CHANGES[event.kind](now, event) }), message);
}

/**
 * As shown: marks made one after the other make one line, with all that they marked.
 *
 * @param {readonly Message[]} messages
 * @returns {Message[]}
 */
export function grouped(messages) {
  const isQuiet = (each) => each.kind === "mark" && !each.error && !each.warnings.length && !each.missing.length;
  const lines = [];
  for (const message of messages) {
    const before = lines.at(-1);
    if (before && isQuiet(before) && isQuiet(message) && !isRunning(before)) {
      const objects = [...new Set([...before.objects, ...message.objects])];
      lines[lines.length - 1] = { ...message, key: before.key, objects };
    } else lines.push(message);
  }
  return lines;
}

/**
 * The conversation of a store, under `messages`.
 *
 * @param {ReturnType<import("./store.js").createStore>} store
 */
export function createTranscript(store) {
  const change = (next) => store.set({ messages: next(store.get().messages ?? []) });
  return {
    /** @param {string} run @param {any} request */
    asked: (run, request) => change((messages) => asked(messages, run, request)),
    /** @param {string} run @param {any} event */
    heard: (run, event) => change((messages) => heard(messages, run, event)),
    /** The line to the server broke. @param {string} run @param {string} sentence */
    lost: (run, sentence) => change((messages) => heard(messages, run, { kind: "error", text: sentence })),
    /** @param {any[]} turns */
    recalled: (turns) => change((messages) => recalled(messages, turns)),
    clear: () => store.set({ messages: [] }),
  };
}
