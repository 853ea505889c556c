/**
 * Masks on the page, kept in step with the list of objects on the server.
 *
 * Masks that are computed while one looks on arrive by themselves. Others (after an undo, or
 * far away in a clip) are fetched in blocks of frames as they come into view. An object carries
 * a version that grows whenever its masks change; a mask of another version is not shown.
 */

const BLOCK = 32; // frames fetched at once

/**
 * @param {ReturnType<import("./store.js").createStore>} store
 * @param {import("./masks.js").MaskCache} masks
 * @param {(first: number, last: number) => Promise<{masks: any[]}>} fetchMasks
 * @param {(error: Error) => void} onError
 */
export function createSync(store, masks, fetchMasks, onError) {
  /** @type {Map<number, number>} */
  const versions = new Map();
  /** @type {Set<string>} what is on its way */
  const asked = new Set();
  let life = 0;

  const touched = () => store.set({ maskVersion: store.get().maskVersion + 1 });

  /** @param {any} object @param {number} frame */
  const covers = (object, frame) => object.origins.some(([a, b]) => a <= frame && frame <= b);

  async function want(frame) {
    const { medium, objects } = store.get();
    if (!medium) return;
    const block = Math.floor(frame / BLOCK);
    const missing = objects.filter(
      (each) => covers(each, frame) && !masks.has(each.id, frame) && !asked.has(`${each.id}:${each.version}:${block}`),
    );
    if (missing.length === 0) return;
    for (const each of missing) asked.add(`${each.id}:${each.version}:${block}`);
    const mine = life;
    try {
      const last = Math.min(medium.frames - 1, (block + 1) * BLOCK - 1);
      const answer = await fetchMasks(block * BLOCK, last);
      if (mine !== life) return;
      for (const each of answer.masks) {
        if (versions.get(each.object) === each.version) masks.put(each.object, each.frame, each.rle, each.how);
      }
      touched();
    } catch (error) {
      if (mine === life) onError(error);
    } finally {
      for (const each of missing) asked.delete(`${each.id}:${each.version}:${block}`);
    }
  }

  const off = store.on(["frame", "objects"], ({ frame, medium, playing }) => {
    want(frame);
    if (playing && medium) want(Math.min(medium.frames - 1, frame + BLOCK));
  });

  return {
    /**
     * Take over the server's list.
     *
     * @param {any} state
     * @param {boolean} streamed whether the masks that changed have all been seen on their way
     */
    state(state, streamed) {
      const ids = new Set(state.objects.map((each) => each.id));
      for (const id of [...versions.keys()]) {
        if (!ids.has(id)) {
          masks.drop(id);
          versions.delete(id);
        }
      }
      for (const each of state.objects) {
        if (versions.get(each.id) !== each.version && !streamed) masks.drop(each.id);
        versions.set(each.id, each.version);
      }
      const kept = (id) => (ids.has(id) ? id : null);
      const { selected, hovered, solo } = store.get();
      store.set({
        objects: state.objects,
        turns: state.turns,
        canUndo: state.undo,
        canRedo: state.redo,
        selected: kept(selected),
        hovered: kept(hovered),
        solo: kept(solo),
        maskVersion: store.get().maskVersion + 1,
      });
    },

    /** A mask has just been computed. @param {any} event */
    mask(event) {
      masks.put(event.object, event.frame, event.rle, event.how);
      touched();
    },

    clear() {
      life += 1;
      for (const id of versions.keys()) masks.drop(id);
      versions.clear();
      asked.clear();
    },
    destroy: off,
  };
}
