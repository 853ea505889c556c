/**
 * Frames and seconds: when each frame of a clip comes, and which one is shown when.
 *
 *   frameAt([0, 0.04, 0.5], 0.3)       // 1: it stays until the next one comes
 *   nearestFrame([0, 0.04, 0.5], 0.3)  // 2: what a browser calls 0.3 is the frame at 0.5
 *   clock(75.25)                       // "1:15.25"
 */

/**
 * The frame that is shown at a time; the first or last one outside the clip.
 *
 * @param {number[]} times when each frame comes, ascending, in seconds
 * @param {number} seconds
 */
export function frameAt(times, seconds) {
  let low = 0;
  let high = times.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * The frame whose time is closest: browsers round the times of a file, up and down.
 *
 * @param {number[]} times
 * @param {number} seconds
 */
export function nearestFrame(times, seconds) {
  const before = frameAt(times, seconds);
  const after = Math.min(before + 1, times.length - 1);
  return times[after] - seconds < seconds - times[before] ? after : before;
}

/**
 * When a frame ends.
 *
 * @param {{times: number[], seconds: number}} clip
 * @param {number} frame
 */
export function endOf({ times, seconds }, frame) {
  return frame + 1 < times.length ? times[frame + 1] : Math.max(seconds, times[frame] + 0.001);
}

/** Minutes and seconds, to the hundredth. @param {number} seconds */
export function clock(seconds) {
  const hundredths = Math.round(seconds * 100);
  const minutes = Math.floor(hundredths / 6000);
  const rest = ((hundredths - minutes * 6000) / 100).toFixed(2).padStart(5, "0");
  return `${minutes}:${rest}`;
}

/**
 * Read what a person typed: "75.25", "1:15.25", "1:15,25 s"; null if it is no time.
 *
 * @param {string} text
 */
export function parseClock(text) {
  const parts = text.replace(",", ".").match(/^\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)\s*s?\s*$/i);
  if (!parts) return null;
  const [, hours = "0", minutes = "0", seconds] = parts;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
