/**
 * Effects on masks as one looks on: what the exported file will look like, at display size.
 *
 * `EFFECTS` has the rows of the server's table by the same names. A row with `change` paints the
 * whole frame anew on a sheet. Of the sheet and the frame, the objects are then cut from one and laid
 * on the other. Nothing is read back from the canvas, so it keeps up with a clip that plays.
 *
 * Blurs are made by halving and growing back, which every browser does fast; filters of the
 * canvas are not to be had everywhere.
 */

const CELLS = 41; // along the longer side: grown back from so few pixels, a blur is 1/64 of it wide
const SQUARES = 48; // along the longer side of what is pixelated, and of a checkerboard
const [WHITE, PALE] = ["#ffffff", "#cccccc"]; // its two greys
const SHADE = "rgba(0, 0, 0, .7)"; // around a spotlight
const OBJECT = ["object"];
const BOTH = ["object", "background"];

/**
 * @typedef {object} Effect
 * @property {("object"|"background")[]} targets the usual one first
 * @property {boolean} [fill] masks are filled
 * @property {boolean} [outline] and outlined
 * @property {"names"|"numbers"} [plates] written on them
 * @property {boolean} [colour] whether it asks for one
 * @property {(scene: Scene) => HTMLCanvasElement} [change]
 */

/** @type {Record<string, Effect>} */
export const EFFECTS = {
  overlay: { targets: OBJECT, fill: true, outline: true, plates: "names" },
  outline: { targets: OBJECT, outline: true, plates: "names" },
  tags: { targets: OBJECT, plates: "numbers" },
  spotlight: { targets: ["background"], change: (scene) => tinted(scene, "source-over", SHADE) },
  // Black has no saturation, and the blend keeps the brightness of what is below.
  grey: { targets: ["background", "object"], change: (scene) => tinted(scene, "saturation", "#000000") },
  blur: { targets: BOTH, change: blurred },
  pixelate: { targets: BOTH, change: pixelated },
  cover: { targets: BOTH, colour: true, change: (scene) => tinted(scene, "source-over", scene.colour) },
  transparent: { targets: ["background"], change: checkered },
  erase: { targets: OBJECT, change: erased },
};

export const USUAL = Object.freeze({ effect: "overlay", target: "object", colour: "#ffffff" });

/** The row of a look; a look that names none has the usual one. */
export const effectOf = (look) => EFFECTS[look.effect] ?? EFFECTS.overlay;

/** As the server reads it: name, target, colour. */
export function effectText(look) {
  const { effect, target, colour } = { ...USUAL, ...look };
  return [effect, target, colour].join(":");
}

/**
 * @typedef {object} Scene
 * @property {HTMLCanvasElement} frame
 * @property {Path2D[]} paths of the objects
 * @property {"object"|"background"} target
 * @property {string} colour
 * @property {(name: string, width?: number, height?: number) => CanvasRenderingContext2D} sheet
 *   an empty canvas of the frame's size, or another; of one name there is one
 */

/** Sheets to work on, which are kept from frame to frame. */
export function createEffects() {
  const sheets = new Map();
  let before = [];

  /**
   * The frame with its effect: a canvas of the same size, or the frame itself where nothing is done.
   * @param {HTMLCanvasElement} frame
   * @param {number} version of what is on it
   * @param {import("./painting.js").Seen[]} seen
   * @param {any} state
   * @returns {HTMLCanvasElement}
   */
  return function withEffect(frame, version, seen, { look, objects, maskVersion }) {
    const effect = effectOf(look);
    if (!effect.change || objects.every(({ shown }) => shown === false)) return frame;
    const now = [frame, version, look, objects, maskVersion];
    if (now.some((value, at) => value !== before[at])) compose(frame, effect, seen, look);
    before = now;
    return sheets.get("result");
  };

  function compose(frame, { change }, seen, look) {
    const sheet = (name, width = frame.width, height = frame.height) => {
      const canvas = sheets.get(name) ?? document.createElement("canvas");
      sheets.set(name, canvas);
      Object.assign(canvas, { width, height }); // which empties it
      return canvas.getContext("2d");
    };
    const paths = seen.map(({ shape }) => shape.path);
    const changed = change({ frame, paths, sheet, ...look });
    const [below, above] = look.target === "object" ? [frame, changed] : [changed, frame];
    const result = sheet("result");
    result.drawImage(below, 0, 0);
    for (const path of paths) {
      result.save();
      result.clip(path, "evenodd");
      result.drawImage(above, 0, 0);
      result.restore();
    }
  }
}

/** The frame under a colour. */
function tinted({ frame, sheet }, blend, colour) {
  const ctx = sheet("changed");
  ctx.drawImage(frame, 0, 0);
  ctx.globalCompositeOperation = blend;
  ctx.fillStyle = colour;
  ctx.fillRect(0, 0, frame.width, frame.height);
  return ctx.canvas;
}

/** The checkerboard that stands for nothing. */
function checkered({ frame, sheet }) {
  const ctx = sheet("changed");
  const edge = (at) => Math.ceil(at * Math.max(1, Math.max(frame.width, frame.height) / SQUARES));
  for (let row = 0; edge(row) < frame.height; row++)
    for (let column = 0; edge(column) < frame.width; column++) {
      ctx.fillStyle = (row + column) % 2 ? PALE : WHITE;
      ctx.fillRect(edge(column), edge(row), edge(column + 1) - edge(column), edge(row + 1) - edge(row));
    }
  return ctx.canvas;
}

/**
 * Blur the target by itself, so that an object does not glow into the background; thin parts, of
 * which little is left by themselves, with what is around them.
 */
function blurred({ frame, paths, target, sheet }) {
  const ctx = sheet("changed");
  for (const path of paths) ctx.fill(path, "evenodd");
  ctx.globalCompositeOperation = target === "object" ? "source-in" : "source-out";
  ctx.drawImage(frame, 0, 0);
  const alone = softened(ctx.canvas, "alone", sheet);
  strengthen(alone);
  const around = softened(frame, "around", sheet);
  around.drawImage(alone.canvas, 0, 0);
  const whole = sheet("whole");
  whole.drawImage(around.canvas, 0, 0, frame.width, frame.height);
  return whole.canvas;
}

function pixelated({ frame, sheet }) {
  const small = shrunk(frame, SQUARES, "squares", sheet);
  const ctx = sheet("changed");
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(small, 0, 0, frame.width, frame.height);
  return ctx.canvas;
}

/** Fill the objects from around them: what is known is halved, and fills on the way back. */
function erased({ frame, paths, sheet }) {
  const known = sheet("erased 0");
  known.drawImage(frame, 0, 0);
  known.globalCompositeOperation = "destination-out";
  // The rim of an object is seldom in its mask to the last pixel, and would smear.
  known.lineWidth = 2 * Math.max(1, Math.round(Math.max(frame.width, frame.height) / 320));
  for (const path of paths) {
    known.fill(path, "evenodd");
    known.stroke(path);
  }
  const sizes = [known];
  for (let { width, height } = frame; width > 1 || height > 1; ) {
    const larger = sizes.at(-1).canvas;
    const ctx = sheet(`erased ${sizes.length}`, Math.ceil(width / 2), Math.ceil(height / 2));
    ctx.drawImage(larger, 0, 0, width / 2, height / 2); // by half also where a side is odd
    ({ width, height } = ctx.canvas);
    sizes.push(ctx);
  }
  strengthen(sizes.at(-1));
  for (let at = sizes.length - 2; at >= 0; at--) {
    const { canvas } = sizes[at + 1];
    sizes[at].globalCompositeOperation = "destination-over";
    sizes[at].drawImage(canvas, 0, 0, 2 * canvas.width, 2 * canvas.height);
  }
  return known.canvas;
}

/** Make what is half transparent almost opaque, in its colour. */
function strengthen(ctx) {
  for (let times = 0; times < 3; times++) ctx.drawImage(ctx.canvas, 0, 0);
}

/** A small copy, made by halves as long as that goes: a single large step would skip pixels. */
function shrunk(source, cells, name, sheet) {
  const share = Math.min(1, cells / Math.max(source.width, source.height));
  const [width, height] = [source.width, source.height].map((side) => Math.max(1, Math.round(side * share)));
  let small = source;
  for (let step = 0; step === 0 || small.width > width || small.height > height; step++) {
    const half = [Math.max(width, Math.ceil(small.width / 2)), Math.max(height, Math.ceil(small.height / 2))];
    const ctx = sheet(`${name} ${step}`, ...half);
    ctx.drawImage(small, 0, 0, ...half);
    small = ctx.canvas;
  }
  return small;
}

/** A small copy, grown back by doubling, which smooths at every step; the last is left to do. */
function softened(source, name, sheet) {
  let soft = shrunk(source, CELLS, name, sheet);
  for (let step = 0; soft.width * 2 < source.width; step++) {
    const ctx = sheet(`${name} up ${step}`, soft.width * 2, soft.height * 2);
    ctx.drawImage(soft, 0, 0, soft.width * 2, soft.height * 2);
    soft = ctx.canvas;
  }
  return soft.getContext("2d");
}
