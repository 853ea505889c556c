/**
 * Where a pixel of the picture stands on the screen, and back.
 *
 * A view says how much of the picture is seen without naming any size in pixels: its zoom, 1 where
 * the whole picture just fits, and the place of the picture that is in the middle, from 0 to 1. So a
 * view survives a window that is resized. `placed` makes screen pixels of it.
 *
 *   const picture = { width: 400, height: 200 };
 *   placed(WHOLE, picture, { width: 800, height: 600 }); // { scale: 2, x: 0, y: 100 }
 *
 * Picture: pixels at display size, x to the right and y down, continuous (the first pixel is 0 to 1).
 * Screen: CSS pixels from the corner of the stage.
 */

/** @typedef {{zoom: number, x: number, y: number}} View */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {{scale: number, x: number, y: number}} Place screen = picture * scale + (x, y) */

/** @type {View} */
export const WHOLE = Object.freeze({ zoom: 1, x: 0.5, y: 0.5 });
export const STEP = 1.4; // of one press on a zoom button
const CLOSEST = 40;

export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const fitting = (picture, stage) =>
  Math.min(stage.width / picture.width, stage.height / picture.height) || 1;

/** A middle that leaves no empty space beside a picture which is larger than the stage. */
function middle(at, picture, stage) {
  const half = stage / picture / 2;
  return half >= 0.5 ? 0.5 : clamp(at, half, 1 - half);
}

/**
 * The nearest view that is allowed.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} stage
 * @returns {View}
 */
export function settled(view, picture, stage) {
  const zoom = clamp(view.zoom, 1, CLOSEST);
  const scale = fitting(picture, stage) * zoom;
  return {
    zoom,
    x: middle(view.x, picture.width * scale, stage.width),
    y: middle(view.y, picture.height * scale, stage.height),
  };
}

/**
 * Where the picture stands.
 * @param {View} view
 * @param {Size} picture
 * @param {Size} stage
 * @returns {Place}
 */
export function placed(view, picture, stage) {
  const { zoom, x, y } = settled(view, picture, stage);
  const scale = fitting(picture, stage) * zoom;
  return {
    scale,
    x: stage.width / 2 - x * picture.width * scale,
    y: stage.height / 2 - y * picture.height * scale,
  };
}

/** From the screen to the picture. */
export const toPicture = (place, [x, y]) => [(x - place.x) / place.scale, (y - place.y) / place.scale];

/** From the picture to the screen. */
export const toScreen = (place, [x, y]) => [x * place.scale + place.x, y * place.scale + place.y];

/** Zoom by a factor, so that what is under `at` (screen) moves to `to`, or stays. */
export function zoomed(view, picture, stage, factor, at, to = at) {
  const zoom = clamp(view.zoom * factor, 1, CLOSEST);
  const scale = fitting(picture, stage) * zoom;
  const [x, y] = toPicture(placed(view, picture, stage), at);
  const next = {
    zoom,
    x: (x * scale + stage.width / 2 - to[0]) / (picture.width * scale),
    y: (y * scale + stage.height / 2 - to[1]) / (picture.height * scale),
  };
  return settled(next, picture, stage);
}

/** The same middle, nearer or farther. */
export const closer = (view, factor) => ({ ...view, zoom: clamp(view.zoom * factor, 1, CLOSEST) });

/** Move the picture by screen pixels. */
export function panned(view, picture, stage, dx, dy) {
  return zoomed(view, picture, stage, 1, [0, 0], [dx, dy]);
}

/** Move the view as little as it takes to see a place of the picture, `margin` from the rim. */
export function revealed(view, picture, stage, at, margin = 32) {
  const [x, y] = toScreen(placed(view, picture, stage), at);
  const dx = clamp(x, margin, stage.width - margin) - x;
  const dy = clamp(y, margin, stage.height - margin) - y;
  return dx || dy ? panned(view, picture, stage, dx, dy) : view;
}

/** Whether a place is on the picture. */
export const inside = (picture, [x, y]) => x >= 0 && y >= 0 && x < picture.width && y < picture.height;

/** Distance of a point from a line between two others. */
export function distance([x, y], [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const along = length ? clamp(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0, 1) : 0;
  return Math.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0));
}
