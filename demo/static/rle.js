/**
 * Masks as run lengths, in COCO's compressed text.
 *
 * Runs go down the columns from the top left corner and begin with what is not in the mask. In the
 * text, a number is written in groups of five bits, lowest first, one character each: 48 + group,
 * and + 32 where another group follows. From the fourth run on, what is written is the difference
 * to the run before the last one, and the highest bit of the last group is its sign.
 *
 *   runsOf("9220003")              // [9, 2, 2, 2, 2, 2, 5]
 *   countsOf([9, 2, 2, 2, 2, 2, 5]) // "9220003"
 */

const FIRST = 48; // the character of the group 0
const BITS = 5;
const MORE = 32;
const SIGN = 16;
const PLAIN = 3; // runs at the start that are written as they are

/**
 * Unpack COCO's text.
 * @param {string} counts
 * @returns {number[]} run lengths, of what is outside first
 */
export function runsOf(counts) {
  const runs = [];
  let value = 0;
  let shift = 0;
  for (let i = 0; i < counts.length; i++) {
    const group = counts.charCodeAt(i) - FIRST;
    value |= (group & (MORE - 1)) << shift;
    shift += BITS;
    if (group & MORE) continue;
    if (group & SIGN && shift < 32) value |= -1 << shift;
    runs.push(value + (runs.length >= PLAIN ? runs[runs.length - 2] : 0));
    value = shift = 0;
  }
  return runs;
}

/**
 * Pack run lengths into COCO's text.
 * @param {ArrayLike<number>} runs
 * @returns {string}
 */
export function countsOf(runs) {
  let counts = "";
  for (let i = 0; i < runs.length; i++) {
    let value = i >= PLAIN ? runs[i] - runs[i - 2] : runs[i];
    let more = true;
    while (more) {
      const group = value & (MORE - 1);
      value >>= BITS;
      more = group & SIGN ? value !== -1 : value !== 0;
      counts += String.fromCharCode(FIRST + group + (more ? MORE : 0));
    }
  }
  return counts;
}

/**
 * Runs of a mask that is stored down the columns.
 * @param {Uint8Array} bits one byte a pixel, at x * height + y
 * @returns {number[]}
 */
export function runsOfBits(bits) {
  const runs = [];
  let inside = 0;
  let from = 0;
  for (let i = 0; i < bits.length; i++) {
    if ((bits[i] ? 1 : 0) === inside) continue;
    runs.push(i - from);
    from = i;
    inside = 1 - inside;
  }
  runs.push(bits.length - from);
  return runs;
}

/**
 * A mask from its runs, one byte a pixel, stored down the columns.
 * @param {ArrayLike<number>} runs
 * @param {[number, number]} size height and width
 * @returns {Uint8Array} of height * width
 */
export function bitsOf(runs, [height, width]) {
  const bits = new Uint8Array(height * width);
  let at = 0;
  for (let i = 0; i < runs.length; i++) {
    if (i % 2) bits.fill(1, at, at + runs[i]);
    at += runs[i];
  }
  return bits;
}
