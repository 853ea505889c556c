/**
 * Masks as run lengths, in COCO's compressed text.
 *
 * Runs go down the columns from the top left corner and begin with what is not in the mask. In the
 * text, a number is written in groups of five bits, lowest first, one character each: 48 + group,
 * and + 32 where another group follows. From the fourth run on, what is written is the difference
 * to the run before the last one, and the highest bit of the last group is its sign.
 *
 *   runsOf("9220003") // [9, 2, 2, 2, 2, 2, 5]
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
