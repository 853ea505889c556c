/**
 * Numbers as people read them.
 *
 *   share(0.0004)    // "<0.1 %"
 *   bytes(1_250_000) // "1.3 MB"
 *   span([3, 8])     // "3–8 s"
 */

/** @param {number} part 0 to 1 */
export function share(part) {
  const percent = part * 100;
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  return `${percent < 10 ? Number(percent.toFixed(1)) : Math.round(percent)} %`;
}

/** @param {number} value in seconds */
export function seconds(value) {
  if (value > 0 && value < 0.1) return "<0.1 s";
  if (value < 60) return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} s`;
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")} min`;
}

/** @param {[number, number]} ends in seconds */
export function span([low, high]) {
  const [from, to] = [low, high].map(seconds);
  if (from === to) return to;
  return high < 60 ? `${from.slice(0, -2)}–${to}` : `${from} – ${to}`;
}

/** @param {number} count */
export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB"];
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * Choose between the texts `key.one` and `key.many`.
 *
 * @param {(key: string, ...args: unknown[]) => string} t
 * @param {string} key
 * @param {number} count
 */
export const counted = (t, key, count) => t(`${key}.${count === 1 ? "one" : "many"}`, count);

/**
 * What a request is going to take, as far as that is known.
 *
 * @param {{seconds: [number, number]|null, frames_shown: number, frames_masked: number, bytes: number}} estimate
 * @param {(key: string, ...args: unknown[]) => string} t
 * @returns {string[]}
 */
export function estimated({ seconds: ends, frames_shown: shown, frames_masked: masked, bytes: memory }, t) {
  return [
    ends && t("chat.estimate", span(ends)),
    masked > 1 && t("chat.estimate.frames", shown, masked),
    memory && t("chat.estimate.memory", bytes(memory)),
  ].filter(Boolean);
}
