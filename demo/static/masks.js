/**
 * The masks that the page knows, by object and frame.
 *
 * What is kept for long is the text of the runs, a few hundred bytes a mask. Where a mask is looked
 * at, its outline is traced once into a `Path2D`, which fills and strokes sharply at every zoom.
 * Both have a budget: the masks that were looked at longest ago go first, and are asked for again.
 *
 * The outline runs along the edges of pixels, with the corners cut half a pixel from the corner, so
 * that a slope is a slope and no staircase.
 */

import { runsOf } from "./rle.js";

const TRACED = 128; // outlines kept
const TEXT = 24e6; // characters of run lengths kept

/**
 * @typedef {object} Shape a mask made ready to be looked at, in display pixels
 * @property {Path2D} path its outline; fill and stroke it
 * @property {number} area pixels
 * @property {[number, number, number, number]|null} box x0 y0 x1 y1, end-exclusive
 * @property {[number, number]} top the middle of its highest row
 * @property {(x: number, y: number) => boolean} at whether a place is in the mask
 */

/**
 * Trace the outline of a mask.
 * @param {{size: [number, number], counts: string}} rle
 * @returns {Shape}
 */
export function shapeOf(rle) {
  const [height, width] = rle.size;
  const runs = runsOf(rle.counts);
  const ends = new Uint32Array(runs.length);
  let end = 0;
  runs.forEach((run, i) => (ends[i] = end += run));
  const found = segments(runs, height);
  return {
    path: outline(found, height, width),
    area: runs.reduce((sum, run, i) => sum + (i % 2 ? run : 0), 0),
    box: found.length ? boxOf(found) : null,
    top: topOf(found),
    at: (x, y) => {
      x = Math.floor(x);
      y = Math.floor(y);
      return x >= 0 && y >= 0 && x < width && y < height && indexIn(ends, x * height + y) % 2 === 1;
    },
  };
}

/** The runs of the mask, cut where a column ends: [x, y0, y1] each. */
function segments(runs, height) {
  const found = [];
  let at = 0;
  runs.forEach((run, i) => {
    const end = at + run;
    while (i % 2 && at < end) {
      const x = Math.floor(at / height);
      const stop = Math.min(end, (x + 1) * height);
      found.push([x, at - x * height, stop - x * height]);
      at = stop;
    }
    at = end;
  });
  return found;
}

function boxOf(found) {
  let [, top, bottom] = found[0];
  for (const [, y0, y1] of found) {
    top = Math.min(top, y0);
    bottom = Math.max(bottom, y1);
  }
  return [found[0][0], top, found[found.length - 1][0] + 1, bottom];
}

function topOf(found) {
  const top = found.reduce((least, [, y0]) => Math.min(least, y0), Infinity);
  const columns = found.filter(([, y0]) => y0 === top).map(([x]) => x);
  return columns.length ? [(columns[0] + columns[columns.length - 1] + 1) / 2, top] : [0, 0];
}

/** Number of the run that holds a position: the first end beyond it. */
function indexIn(ends, position) {
  let low = 0;
  let high = ends.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle] > position) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Walk around every part and hole, the mask to the right hand. A walk to the east runs along the
 * upper edge of a pixel, and every upper edge begins a segment: so no walk is missed.
 */
function outline(found, height, width) {
  const column = height + 2; // a rim of nothing saves asking for the border
  const bits = new Uint8Array(column * (width + 2));
  for (const [x, y0, y1] of found) bits.fill(1, (x + 1) * column + y0 + 1, (x + 1) * column + y1 + 1);
  const path = new Path2D();
  const east = [1, 0, -1, 0]; // steps by direction: east, south, west, north
  const south = [0, 1, 0, -1];
  const right = [column + 1, 1, 0, column]; // the pixel ahead to the right of a corner
  const left = [column, column + 1, 1, 0];
  for (const [startX, startY] of found) {
    if (bits[(startX + 1) * column + startY + 1] === 2) continue;
    let [x, y, way, begun] = [startX, startY, 0, false];
    do {
      if (way === 0) bits[(x + 1) * column + y + 1] = 2;
      x += east[way];
      y += south[way];
      const corner = x * column + y;
      const next = !bits[corner + right[way]] ? (way + 1) % 4 : bits[corner + left[way]] ? (way + 3) % 4 : way;
      if (next !== way) {
        if (begun) path.lineTo(x - east[way] / 2, y - south[way] / 2);
        else path.moveTo(x - east[way] / 2, y - south[way] / 2);
        path.lineTo(x + east[next] / 2, y + south[next] / 2);
        begun = true;
      }
      way = next;
    } while (x !== startX || y !== startY || way !== 0);
    path.closePath();
  }
  return path;
}

/** A map that forgets what was used longest ago once it holds more than its budget. */
function recent(budget, weigh) {
  const kept = new Map();
  let weight = 0;
  const forget = (key) => {
    if (!kept.has(key)) return;
    weight -= weigh(kept.get(key));
    kept.delete(key);
  };
  return {
    get(key) {
      const value = kept.get(key);
      if (value === undefined) return undefined;
      kept.delete(key);
      kept.set(key, value);
      return value;
    },
    put(key, value) {
      forget(key);
      kept.set(key, value);
      weight += weigh(value);
      for (const oldest of kept.keys()) {
        if (weight <= budget || oldest === key) break;
        forget(oldest);
      }
    },
    forget,
    keys: () => [...kept.keys()],
  };
}

/** Masks by object and frame, with a bounded size. */
export class MaskCache {
  constructor({ traced = TRACED, text = TEXT } = {}) {
    this._texts = recent(text, ({ rle }) => 64 + (rle ? rle.counts.length : 0));
    this._shapes = recent(traced, () => 1);
  }

  /**
   * Remember the mask of an object on a frame; null says that it is not to be seen there.
   * @param {number} object
   * @param {number} frame
   * @param {{size: [number, number], counts: string}|null} rle at display size
   * @param {"seen"|"carried"|"corrected"} how
   */
  put(object, frame, rle, how) {
    const key = `${object}/${frame}`;
    this._shapes.forget(key);
    this._texts.put(key, { rle, how });
  }

  /** Whether it is known how the object looks on this frame, even if it is not to be seen. */
  has(object, frame) {
    return this._texts.get(`${object}/${frame}`) !== undefined;
  }

  /**
   * The mask of an object on a frame; null where there is none or none is known.
   * @returns {{rle: object, how: string, shape: () => Shape, bitmap: () => Path2D,
   *   at: (x: number, y: number) => boolean}|null}
   */
  get(object, frame) {
    const key = `${object}/${frame}`;
    const known = this._texts.get(key);
    if (!known || !known.rle) return null;
    const shape = () => {
      const ready = this._shapes.get(key) ?? shapeOf(known.rle);
      this._shapes.put(key, ready);
      return ready;
    };
    return { ...known, shape, bitmap: () => shape().path, at: (x, y) => shape().at(x, y) };
  }

  /** Forget an object, or all of them. */
  drop(object = null) {
    const ours = (key) => object === null || key.startsWith(`${object}/`);
    for (const kept of [this._texts, this._shapes]) kept.keys().filter(ours).forEach(kept.forget);
  }

  /** The frames for which something is known of an object, in order. */
  frames(object) {
    const ours = this._texts.keys().filter((key) => key.startsWith(`${object}/`));
    return ours.map((key) => Number(key.split("/")[1])).sort((a, b) => a - b);
  }
}
