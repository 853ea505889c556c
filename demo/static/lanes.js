/**
 * What is drawn of the timeline: one lane for each object, and the ruler above them.
 *
 * Looks do not rest on colour: frames that the model looked at are solid, frames to which the mask
 * was carried are hatched, a correction has a diamond. A thin line is where the object was looked
 * for and is not to be seen; a dotted rim is where SAM 2 believes it hidden, and where it is in doubt
 * the lane fades. Frames stand at equal distances, whatever their times are.
 */
import { clock, frameAt } from "./times.js";

export const INSET = 9; // px at both ends: half the thumb of the scrubber above
const BAR = 14; // px
const LEAST = 3; // px; one frame of ten thousand is still to be seen
export const HIDDEN = 0.5; // from this doubt on, SAM 2 believes that the object is hidden
const DIAMOND = 5; // px from its middle
const LABEL = 64; // px from one time to the next
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600]; // s

/** @param {number} frame @param {number} frames @param {number} width */
export function placeOf(frame, frames, width) {
  return INSET + (frames > 1 ? frame / (frames - 1) : 0) * (width - 2 * INSET);
}

/** @param {number} x @param {number} frames @param {number} width */
export function frameOf(x, frames, width) {
  const share = (x - INSET) / Math.max(1, width - 2 * INSET);
  return Math.round(Math.max(0, Math.min(1, share)) * (frames - 1));
}

/**
 * Where two lists of stretches meet; both ascend, with first and last frame inclusive.
 *
 * @param {[number, number][]} ones
 * @param {[number, number][]} others
 * @returns {[number, number][]}
 */
export function meet(ones, others) {
  const found = [];
  for (let i = 0, j = 0; i < ones.length && j < others.length; ) {
    const first = Math.max(ones[i][0], others[j][0]);
    const last = Math.min(ones[i][1], others[j][1]);
    if (first <= last) found.push([first, last]);
    if (ones[i][1] < others[j][1]) i += 1;
    else j += 1;
  }
  return found;
}

/** Stretches of frames from their numbers. @param {number[]} frames ascending */
export function stretches(frames) {
  const found = [];
  for (const frame of frames) {
    const last = found.at(-1);
    if (last && frame <= last[1] + 1) last[1] = frame;
    else found.push([frame, frame]);
  }
  return found;
}

/**
 * Size a canvas for its place, sharp on this screen, and clear it.
 *
 * @param {HTMLCanvasElement} canvas @param {number} width CSS px @param {number} height CSS px
 */
export function prepared(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * density));
  canvas.height = Math.max(1, Math.round(height * density));
  canvas.style.height = `${height}px`;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.setTransform(density, 0, 0, density, 0, 0);
  return context;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {{objects: any[], frames: number, width: number, lane: number,
 *   live: (id: number) => [number, number][], lit: (object: any) => boolean,
 *   colour: (name: string) => string}} what
 *   `live`: stretches computed just now, which the list does not know yet
 */
export function drawLanes(context, { objects, frames, width, lane, live, lit, colour }) {
  const half = Math.max(LEAST / 2, (width - 2 * INSET) / Math.max(1, frames - 1) / 2);
  const ends = ([first, last]) => {
    const left = placeOf(first, frames, width) - half;
    return [left, placeOf(last, frames, width) + half - left];
  };
  objects.forEach((object, row) => {
    const middle = (row + 0.5) * lane;
    const top = middle - BAR / 2;
    context.globalAlpha = object.shown ? 1 : 0.4;
    context.fillStyle = colour("--x-line");
    context.fillRect(INSET, middle - 0.5, width - 2 * INSET, 1);
    const origins = (wanted) => object.origins.filter(([, , how]) => how === wanted).map(([a, b]) => [a, b]);
    const fill = (spans, style, from = top, height = BAR) => {
      context.fillStyle = style;
      for (const span of spans) {
        const [left, length] = ends(span);
        context.fillRect(left, from, length, height);
      }
    };
    fill(object.origins, colour("--x-dim"), middle - 1, 2);
    const tint = `${object.colour}55`;
    const carried = meet(object.visible, origins("carried"));
    fill(live(object.id), tint);
    fill(carried, colour("--x-bg"));
    fill(carried, tint);
    fill(carried, hatched(context, object.colour));
    fill(carried, object.colour, top, 1.5);
    fill(carried, object.colour, top + BAR - 1.5, 1.5);
    const corrected = meet(object.visible, origins("corrected"));
    fill([...meet(object.visible, origins("seen")), ...corrected], object.colour);
    for (const [first, last, sure] of object.doubts ?? []) {
      const [left, length] = ends([first, last]);
      if (sure < HIDDEN) dotted(context, left, length, top, object.colour);
      else veil(context, left, length, top, colour("--x-bg"), 1 - sure);
    }
    if (lit(object)) outline(context, object.visible.map(ends), top, colour("--x-text"));
    for (const [first] of corrected) diamond(context, placeOf(first, frames, width), middle);
  });
  context.globalAlpha = 1;
}

/** Frames where SAM 2 believes the object hidden: nothing but its rim. */
function dotted(context, left, length, top, colour) {
  context.save();
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.setLineDash([2, 3]);
  context.strokeRect(left, top + 3, length, BAR - 6);
  context.restore();
}

/** The less sure SAM 2 is to see it, the paler. */
function veil(context, left, length, top, colour, share) {
  context.save();
  context.globalAlpha *= Math.min(0.85, 1.7 * share);
  context.fillStyle = colour;
  context.fillRect(left, top, length, BAR);
  context.restore();
}

/** How sure SAM 2 was to see an object on a frame, 0 to 1; null where it said nothing but yes. */
export function sureAt({ doubts = [] }, frame) {
  return doubts.find(([first, last]) => first <= frame && frame <= last)?.[2] ?? null;
}

/** Slanting lines of a colour. @param {CanvasRenderingContext2D} context @param {string} colour */
function hatched(context, colour) {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 6;
  const pen = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  pen.beginPath();
  for (const shift of [-6, 0, 6]) {
    pen.moveTo(shift - 1, 7);
    pen.lineTo(shift + 7, -1);
  }
  pen.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}

function outline(context, bars, top, colour) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  for (const [left, length] of bars) context.strokeRect(left - 1, top - 2, length + 2, BAR + 4);
}

/** White with a dark edge: to be seen on any colour. */
function diamond(context, x, y) {
  context.beginPath();
  context.moveTo(x, y - DIAMOND);
  context.lineTo(x + DIAMOND, y);
  context.lineTo(x, y + DIAMOND);
  context.lineTo(x - DIAMOND, y);
  context.closePath();
  context.fillStyle = "#fff";
  context.strokeStyle = "#111";
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

/**
 * Times, and a dot for every frame that the language model reads.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {{medium: any, width: number, height: number, colour: (name: string) => string}} what
 */
export function drawRuler(context, { medium, width, height, colour }) {
  const { times, frames, seconds } = medium;
  const fits = (width / LABEL) | 0;
  const step = STEPS.find((each) => seconds / each <= fits) ?? 7200;
  context.font = `11px ${getComputedStyle(context.canvas).fontFamily}`;
  context.textBaseline = "top";
  let free = 0;
  for (let i = 0; i * step <= times[frames - 1]; i += 1) {
    const x = placeOf(frameAt(times, i * step + 1e-4), frames, width);
    context.fillStyle = colour("--x-line");
    context.fillRect(Math.round(x), height - 9, 1, 9);
    const text = step < 1 ? clock(i * step).slice(0, -1) : clock(i * step).slice(0, -3);
    const length = context.measureText(text).width;
    const left = Math.max(INSET + 2, Math.min(width - INSET - 2 - length, x - length / 2)); // beside the handles
    if (left < free) continue;
    context.fillStyle = colour("--x-dim");
    context.fillText(text, left, 5);
    free = left + length + 10;
  }
  context.fillStyle = colour("--x-dim");
  for (const frame of medium.shown ?? []) {
    context.beginPath();
    context.arc(placeOf(frame, frames, width), height - 3, 1.8, 0, 2 * Math.PI);
    context.fill();
  }
}
