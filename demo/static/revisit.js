/**
 * What the browser's tab keeps while its page is loaded again: where the conversations are.
 *
 * It is written as the page goes away and taken as it comes, so that a copy of the tab, which gets
 * a copy of all that is kept, does not end up in the same conversation.
 *
 * @typedef {{token: string, opened: boolean, frame: number, shown: boolean}} Place
 *   opened: something was; shown: its tab of the page was the one that was looked at
 */

const key = (kind) => `x2sam.${kind}`;

/** @param {"image"|"video"} kind @returns {Place|null} */
function kept(kind) {
  try {
    return JSON.parse(sessionStorage.getItem(key(kind)));
  } catch {
    return null; // where nothing may be kept, a page that is loaded again begins anew
  }
}

/** @param {"image"|"video"} kind @param {Place} place */
export function leave(kind, place) {
  try {
    sessionStorage.setItem(key(kind), JSON.stringify(place));
  } catch {
    // As above.
  }
}

/** @param {"image"|"video"} kind @returns {Place|null} */
export function comeBack(kind) {
  const place = kept(kind);
  if (place) sessionStorage.removeItem(key(kind));
  // The page begins with pictures, and makes another tab when that is first looked at.
  const clip = kind === "image" ? kept("video") : null;
  if (clip?.opened || clip?.shown) look("video");
  return place;
}

/** Look at a tab of the page. @param {"image"|"video"} kind */
export function look(kind) {
  document.getElementById(`x-${kind}-button`)?.click();
}
