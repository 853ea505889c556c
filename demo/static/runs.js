/**
 * What the model is working on: one request at a time, answered by a stream of events.
 *
 * A request goes out as a Gradio event and comes back as batches of events, each marked with the
 * request it belongs to. Marks may be made faster than they are answered: then they wait in line,
 * and of each object only the newest request, as it carries all marks of that object. Words end
 * whatever is running, as the server would, and what waits.
 */

const SILENCE = 15_000; // ms without a word from the server before it is asked whether it lives

let made = 0;
const newRun = () => `r${Date.now().toString(36)}-${++made}`;

/** Whether two requests are about the same object: their marks begin with the same one. */
const sameMarks = (one, other) => one.drawings[0].key === other.drawings[0].key;

/**
 * @param {{
 *   send: (payload: object) => void,
 *   alive: () => Promise<unknown>,
 *   onStart: (run: string, request: object) => void,
 *   onEvent: (run: string, event: object, request: object) => void,
 *   onLost: (run: string, error: Error, request: object) => void,
 * }} line
 */
export function createRuns(line) {
  /** @type {{run: string, seq: number, request: any}|null} */
  let current = null;
  /** @type {any[]} */
  let waiting = [];
  let watchdog = 0;

  function start(request) {
    current = { run: newRun(), seq: -1, request };
    listen();
    line.onStart(current.run, request);
    line.send({ ...request, run: current.run });
  }

  function listen() {
    clearTimeout(watchdog);
    if (!current) return;
    const { run, request } = current;
    watchdog = setTimeout(async () => {
      try {
        await line.alive();
        if (current?.run === run) listen();
      } catch (error) {
        if (current?.run !== run) return;
        current = null;
        waiting = [];
        line.onLost(run, error, request);
      }
    }, SILENCE);
  }

  return {
    /** @returns {boolean} whether anything is being answered */
    busy: () => current !== null,

    /** Ask now; what is running ends. @param {object} request */
    ask(request) {
      waiting = [];
      start(request);
    },

    /** Ask when the marks before have been answered. @param {object} request */
    mark(request) {
      if (current?.request.kind !== "mark") {
        this.ask(request);
        return;
      }
      const place = waiting.findIndex((each) => sameMarks(each, request));
      if (place < 0) waiting.push(request);
      else waiting[place] = request;
    },

    /** The request that waits with more marks of the same object. @param {object} request */
    more: (request) => waiting.find((each) => sameMarks(each, request)) ?? null,

    /** @param {{run: string, seq: number, events: any[]}|null} delta */
    take(delta) {
      if (!delta || delta.run !== current?.run || delta.seq <= current.seq) return;
      current.seq = delta.seq;
      listen();
      for (const event of delta.events) {
        const { run, request } = current;
        const ends = event.kind === "done" || event.kind === "error";
        if (ends) current = null;
        line.onEvent(run, event, request);
        if (ends) {
          clearTimeout(watchdog);
          if (!current && waiting.length > 0) start(waiting.shift());
          return;
        }
      }
    },

    /** Forget everything, as when another picture is opened. */
    clear() {
      current = null;
      waiting = [];
      clearTimeout(watchdog);
    },
  };
}
