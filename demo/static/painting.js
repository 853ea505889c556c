/**
 * What is painted on the stage, one after the other: frame, masks, names, marks, cursor.
 *
 * Every line has a dark and a light rim, so that it is seen on any picture, also on one of its own
 * colour. Widths are CSS pixels on the screen, whatever the zoom.
 */

import { effectOf } from "./effects.js";
import { toScreen } from "./geometry.js";
import { toDisplay } from "./marks.js";

const DARK = "rgba(12, 14, 18, .62)";
const LIGHT = "rgba(255, 255, 255, .92)";
const YES = "#0a7f3f";
const NO = "#c4261d";
const PLATE = "rgba(18, 20, 25, .86)";
const FONT = "600 12.5px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans CJK SC', sans-serif";
const LONGEST = 200; // CSS pixels of a name
const DIMMED = 0.22; // of its opacity, where another object is alone

/** @typedef {{id: number, name: string, colour: string, shape: import("./masks.js").Shape}} Seen */

/** Black or white, whichever is read better on a colour. */
export function inkOn(colour) {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000000" : "#ffffff";
}

/** Stroke a path several times, each [colour, width]. */
function stroke(ctx, path, ...lines) {
  for (const [colour, width] of lines) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.stroke(path);
  }
}

/**
 * Fill and outline masks, as far as the effect in hand does; `ctx` is scaled to display pixels.
 * @param {CanvasRenderingContext2D} ctx
 * @param {Seen[]} seen
 * @param {any} state
 * @param {number} scale
 */
export function paintMasks(ctx, seen, { look, hovered, selected, solo, medium, playing }, scale) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, medium.width, medium.height);
  ctx.clip();
  ctx.lineJoin = ctx.lineCap = "round";
  const { fill, outline } = effectOf(look);
  const outlined = outline && (look.outline || !fill);
  for (const { id, colour, shape } of seen) {
    const dim = solo !== null && solo !== id ? DIMMED : 1;
    ctx.globalAlpha = look.opacity * dim;
    ctx.fillStyle = colour;
    if (fill) ctx.fill(shape.path, "evenodd");
    const width = id === hovered ? 3.5 : id === selected ? 2.75 : 1.75;
    if (!outlined && width < 2) continue;
    ctx.globalAlpha = dim;
    if (id === hovered) {
      ctx.globalAlpha = 0.5 * dim;
      stroke(ctx, shape.path, [colour, 12 / scale]);
      ctx.globalAlpha = dim;
    }
    const rims = [[DARK, (width + 2.5) / scale], [LIGHT, (width + 1) / scale]];
    // Thick lines are most of the work, and in motion nobody sees their rims.
    stroke(ctx, shape.path, ...(playing ? [] : rims), [colour, width / scale]);
  }
  ctx.restore();
}

function shortened(ctx, text) {
  if (ctx.measureText(text).width <= LONGEST) return text;
  const letters = [...text];
  while (letters.length > 1 && ctx.measureText(`${letters.join("")}…`).width > LONGEST) letters.pop();
  return `${letters.join("")}…`;
}

/**
 * Write number and name, or the number alone, on a plate above each mask, inside the view and beside each other.
 * `ctx` is in CSS pixels, as are the plates that are returned: [x, y, width, height].
 */
export function paintNames(ctx, seen, { solo, hovered, look }, place, size) {
  const height = 22;
  const named = effectOf(look).plates === "names";
  const taken = [];
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  const low = { x: Math.max(0, place.x), y: Math.max(0, place.y) };
  const high = { x: Math.min(size.width, size.width - place.x), y: Math.min(size.height, size.height - place.y) };
  for (const { id, name, colour, shape } of seen) {
    if (solo !== null && solo !== id && hovered !== id) continue;
    if (!shape.box || !overlaps(place, size, shape.box)) continue;
    const text = named ? shortened(ctx, name) : "";
    const number = String(id);
    const chip = Math.max(16, ctx.measureText(number).width + 8);
    const width = chip + (named ? ctx.measureText(text).width + 15 : 6);
    const [x, y] = toScreen(place, shape.top);
    const plate = {
      x: Math.max(low.x + 3, Math.min(x - width / 2, high.x - width - 3)),
      y: Math.max(low.y + 3, Math.min(y - height - 5, high.y - height - 3)),
    };
    const meets = (other) =>
      plate.x < other[0] + other[2] && other[0] < plate.x + width && Math.abs(plate.y - other[1]) < height;
    for (let tries = 0; tries < 8 && taken.some(meets); tries++) plate.y += height + 2;
    taken.push([plate.x, plate.y, width, height]);
    paintPlate(ctx, plate, { width, height, chip, text, number, colour });
  }
  return taken;
}

function overlaps(place, size, [x0, y0, x1, y1]) {
  const [[left, top], [right, bottom]] = [toScreen(place, [x0, y0]), toScreen(place, [x1, y1])];
  return right > 0 && bottom > 0 && left < size.width && top < size.height;
}

function paintPlate(ctx, { x, y }, { width, height, chip, text, number, colour }) {
  ctx.fillStyle = PLATE;
  rounded(ctx, x, y, width, height, 6);
  ctx.fillStyle = colour;
  rounded(ctx, x + 3, y + 3, chip, height - 6, 4);
  ctx.textAlign = "center";
  ctx.fillStyle = inkOn(colour);
  ctx.fillText(number, x + 3 + chip / 2, y + height / 2 + 0.5);
  ctx.textAlign = "left";
  ctx.fillStyle = "#ffffff";
  ctx.fillText(text, x + chip + 8, y + height / 2 + 0.5);
}

function rounded(ctx, x, y, width, height, radius) {
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, radius);
  ctx.fill();
}

/** Draw marks, in CSS pixels. */
export function paintMarks(ctx, marks, medium, place) {
  const put = (at) => toScreen(place, toDisplay(medium, at));
  const drawn = { scribble: paintScribble, box: paintBox, point: paintPoint };
  const scale = (place.scale * medium.width) / medium.source[0];
  for (const kind of Object.keys(drawn)) {
    for (const mark of marks) if (mark.kind === kind) drawn[kind](ctx, mark, put, scale);
  }
}

function paintPoint(ctx, { points: [at], positive }, put) {
  const [x, y] = put(at);
  const disc = new Path2D();
  disc.arc(x, y, 7.5, 0, 7);
  stroke(ctx, disc, [DARK, 5], [LIGHT, 3]);
  ctx.fillStyle = positive ? YES : NO;
  ctx.fill(disc);
  const sign = new Path2D(`M${x - 4} ${y}h8${positive ? `M${x} ${y - 4}v8` : ""}`);
  ctx.lineCap = "butt";
  stroke(ctx, sign, ["#ffffff", 2]);
}

function paintBox(ctx, { box, positive }, put) {
  const [[x0, y0], [x1, y1]] = [put(box.slice(0, 2)), put(box.slice(2))];
  const frame = new Path2D();
  frame.rect(x0, y0, x1 - x0, y1 - y0);
  ctx.lineJoin = "miter";
  stroke(ctx, frame, [DARK, 4.5], [LIGHT, 2.5]);
  ctx.setLineDash([7, 5]);
  stroke(ctx, frame, [positive ? YES : NO, 2.5]);
  ctx.setLineDash([]);
}

function paintScribble(ctx, { points, width, positive }, put, scale) {
  const path = new Path2D();
  points.map(put).forEach(([x, y], i) => (i ? path.lineTo(x, y) : path.moveTo(x, y)));
  if (points.length === 1) path.lineTo(...put(points[0]));
  ctx.lineCap = ctx.lineJoin = "round";
  ctx.globalAlpha = 0.5;
  stroke(ctx, path, [positive ? YES : NO, width * scale]);
  ctx.globalAlpha = 1;
  const middle = Math.min(2.5, width * scale);
  stroke(ctx, path, [LIGHT, middle], [positive ? YES : NO, middle / 2]);
}

/** The width of the brush, around the pointer. */
export function paintBrush(ctx, [x, y], width) {
  const ring = new Path2D();
  ring.arc(x, y, width / 2, 0, 7);
  stroke(ctx, ring, [DARK, 3], [LIGHT, 1.5]);
}

/** The cursor of the keyboard. */
export function paintCrosshair(ctx, [x, y]) {
  const arms = new Path2D(`M${x - 22} ${y}h17M${x + 5} ${y}h17M${x} ${y - 22}v17M${x} ${y + 5}v17M${x} ${y}h.01`);
  ctx.lineCap = "round";
  stroke(ctx, arms, [DARK, 5], [LIGHT, 2.5]);
}
