/**
 * Marks: points, boxes and scribbles that say "this" or "not this".
 *
 * A mark is kept in pixels of the source, which is what the server takes. All marks of one object on
 * one frame are sent together whenever one is added, so their order on the way cannot matter. Each
 * has a `key` of its own: marks of a new object have no number yet, and `adopt` gives it to them.
 *
 * The store has two lists: `marks` have been sent and stay to be seen while their object is selected;
 * `drawings` wait for the next words.
 *
 * @typedef {object} Mark
 * @property {number} key
 * @property {"point"|"box"|"scribble"} kind
 * @property {boolean} positive
 * @property {number} frame
 * @property {number|null} object null begins a new one
 * @property {[number, number][]} points
 * @property {number} width of a scribble
 * @property {[number, number, number, number]|null} box x0 y0 x1 y1, end-exclusive
 */

import { clamp, distance } from "./geometry.js";

const FINE = 100; // marks are kept to 1/100 of a pixel
const fine = (value) => Math.floor(value * FINE) / FINE;

let made = 0;

/** How many pixels of the source there are to one of the display, across and down. */
const scales = ({ source, width, height }) => [source[0] / width, source[1] / height];

/** A place of the display in pixels of the source, on the picture. */
export function toSource(medium, [x, y]) {
  const [across, down] = scales(medium);
  const [width, height] = medium.source;
  return [fine(clamp(x * across, 0, width - 1 / FINE)), fine(clamp(y * down, 0, height - 1 / FINE))];
}

/** A place of the source in pixels of the display. */
export function toDisplay(medium, [x, y]) {
  const [across, down] = scales(medium);
  return [x / across, y / down];
}

/**
 * Make a mark of where the pointer went.
 * @param {any} medium
 * @param {"point"|"box"|"scribble"} kind
 * @param {[number, number][]} path in display pixels
 * @param {{positive: boolean, frame: number, object: number|null, width?: number}} rest
 *   width of a scribble in display pixels
 * @returns {Mark|null} null for a box without content
 */
export function markOf(medium, kind, path, { width = 0, ...rest }) {
  const mark = { key: ++made, kind, ...rest, points: [], width: 0, box: null };
  if (kind === "box") {
    const box = boxBetween(medium, path[0], path[path.length - 1]);
    return box && { ...mark, box };
  }
  mark.points = path.map((at) => toSource(medium, at));
  if (kind === "scribble") mark.width = fine(width * scales(medium)[0]);
  return mark;
}

/** The box between two corners, cut to the picture, in whole pixels of the source. */
function boxBetween(medium, from, to) {
  const [across, down] = scales(medium);
  const [width, height] = medium.source;
  const [x0, x1] = [from[0], to[0]].map((x) => Math.round(clamp(x * across, 0, width))).sort((a, b) => a - b);
  const [y0, y1] = [from[1], to[1]].map((y) => Math.round(clamp(y * down, 0, height))).sort((a, b) => a - b);
  return x0 < x1 && y0 < y1 ? [x0, y0, x1, y1] : null;
}

/** The marks that would be sent together: of one object, on one frame. */
export const marksOf = (marks, object, frame) =>
  marks.filter((mark) => mark.object === object && mark.frame === frame);

/** The marks that an eraser of this width (source pixels) does not touch on its way. */
export function untouched(marks, eraser) {
  const reach = eraser.width / 2;
  const path = eraser.points;
  const near = ([x, y], margin) =>
    path.some((to, i) => distance([x, y], path[Math.max(0, i - 1)], to) <= reach + margin);
  return marks.filter((mark) => {
    if (mark.frame !== eraser.frame) return true;
    if (mark.kind !== "box") return !mark.points.some((point) => near(point, mark.width / 2));
    return !edgePoints(mark.box).some((point) => near(point, reach));
  });
}

/** Places along the sides of a box. */
function edgePoints([x0, y0, x1, y1], each = 24) {
  const shares = Array.from({ length: each + 1 }, (_, i) => i / each);
  return shares.flatMap((share) => {
    const [x, y] = [x0 + share * (x1 - x0), y0 + share * (y1 - y0)];
    return [[x, y0], [x, y1], [x0, y], [x1, y]];
  });
}

/**
 * The marks of a new object have been answered: they are its own now, and it is selected, unless
 * somebody has gone on to another object in the meantime.
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {Mark[]} asked the marks that were sent
 * @param {number} object
 */
export function adopt(store, asked, object) {
  const { marks, selected } = store.get();
  const keys = new Set(asked.map((mark) => mark.key));
  if (selected !== null || !marks.some((mark) => mark.object === null && keys.has(mark.key))) return;
  store.set({ selected: object, marks: marks.map((mark) => ({ ...mark, object: mark.object ?? object })) });
}
