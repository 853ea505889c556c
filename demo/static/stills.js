/**
 * Single frames of a clip, as pictures from the server: at hand at once, and exact by their name.
 *
 * The latest frame asked for is fetched first, a few at a time; frames that nobody waits for any
 * more are not fetched at all. Decoded frames are kept up to a number of bytes, the oldest go.
 */

const KEPT_BYTES = 48e6; // of decoded frames
const AT_ONCE = 3; // requests
const WAITING = 6; // frames; of more, the oldest are given up

/** @param {{frame: string, frames: number, width: number, height: number}} medium */
export function createStills(medium) {
  const room = Math.max(4, Math.floor(KEPT_BYTES / (4 * medium.width * medium.height)));
  /** @type {Map<number, ImageBitmap>} oldest first */
  const kept = new Map();
  /** @type {Map<number, {promise: Promise<boolean>, done: (there: boolean) => void}>} oldest first */
  const waiting = new Map();
  /** @type {Set<number>} */
  const fetching = new Set();
  const ending = new AbortController();

  /** @param {number} frame */
  function settle(frame, there) {
    waiting.get(frame)?.done(there);
    waiting.delete(frame);
  }

  /** @param {number} frame @param {ImageBitmap} bitmap */
  function keep(frame, bitmap) {
    kept.set(frame, bitmap);
    for (const [oldest, old] of kept) {
      if (kept.size <= room) break;
      kept.delete(oldest);
      old.close();
    }
  }

  /** @param {number} frame */
  async function fetchOne(frame) {
    fetching.add(frame);
    let there = false;
    try {
      const answer = await fetch(medium.frame.replace("{i}", String(frame)), { signal: ending.signal });
      if (answer.ok) {
        const bitmap = await createImageBitmap(await answer.blob());
        if (ending.signal.aborted) bitmap.close();
        else {
          keep(frame, bitmap);
          there = true;
        }
      }
    } catch {
      // The frame stays away; whoever waits for it hears so.
    }
    fetching.delete(frame);
    settle(frame, there);
    next();
  }

  function next() {
    const newest = [...waiting.keys()].reverse().filter((frame) => !fetching.has(frame));
    for (const frame of newest.splice(WAITING)) settle(frame, false);
    for (const frame of newest.slice(0, AT_ONCE - fetching.size)) fetchOne(frame);
  }

  return {
    /** @param {number} frame @returns {ImageBitmap | null} */
    get(frame) {
      const bitmap = kept.get(frame) ?? null;
      if (bitmap) {
        kept.delete(frame);
        kept.set(frame, bitmap);
      }
      return bitmap;
    },

    /** Fetch a frame; whether it came. @param {number} frame @returns {Promise<boolean>} */
    load(frame) {
      if (kept.has(frame)) return Promise.resolve(true);
      if (ending.signal.aborted) return Promise.resolve(false);
      let entry = waiting.get(frame);
      if (entry) waiting.delete(frame);
      else {
        let done = /** @param {boolean} _there */ (_there) => {};
        const promise = new Promise((resolve) => (done = resolve));
        entry = { promise, done };
      }
      waiting.set(frame, entry);
      next();
      return entry.promise;
    },

    dispose() {
      ending.abort();
      for (const frame of [...waiting.keys()]) settle(frame, false);
      for (const bitmap of kept.values()) bitmap.close();
      kept.clear();
    },
  };
}
