/**
 * The frames of a picture or a clip, one way for both: ask for a frame, and draw it once it is
 * at hand.
 *
 *   const frames = createFrames(medium, { isReady });
 *   if (!frames.draw(context, 12, width, height)) frames.ready(12).then(redraw);
 *
 * A picture has one frame. A clip has two sources: its proxy, a video made for seeking, and single
 * frames as JPEG. The JPEGs serve until the proxy is made, where it cannot be played, and for a
 * frame on which the browser is slow or lands elsewhere. What is drawn is the frame asked for, or
 * nothing: whoever gets `false` keeps what is drawn already, so that picture and masks never part.
 */
import { createExactVideo } from "./exact_video.js";
import { createStills } from "./stills.js";
import { endOf } from "./times.js";

const SLOW = 250; // ms after which a JPEG is fetched beside a seek
const POLL = { first: 300, most: 2000, failures: 3 }; // ms, ms, times
const AHEAD = 4; // JPEGs fetched ahead while they are played

/**
 * @typedef {object} Frames
 * @property {(context: CanvasRenderingContext2D, frame: number, width: number, height: number) => boolean} draw
 *   draws a frame at 0 0, or asks for it and says false
 * @property {(frame: number) => Promise<boolean>} ready resolves once it is at hand; false if it never will be
 *   or another one was asked for
 * @property {(from: number, onFrame: (frame: number) => void, onEnd?: () => void) => void} play
 *   `onEnd` is for an end that nobody asked for: the last frame
 * @property {() => void} pause
 * @property {() => number} frame the latest one that was at hand
 * @property {(how: Partial<Playing>) => void} set
 * @property {() => "picture" | "stills" | "video"} source where frames come from at this moment
 * @property {null | ((frame: number) => void)} onReady called as any frame asked for arrives
 * @property {null | (() => void)} onSource called as the source changes
 * @property {() => void} dispose
 */

/**
 * @typedef {object} Playing
 * @property {number} rate 1 is as filmed
 * @property {boolean} loop
 * @property {boolean} muted
 * @property {[number, number] | null} range frames to stay within, if playing begins there
 */

/**
 * @param {any} medium as the server describes it
 * @param {{isReady?: () => Promise<boolean>}} [options] `isReady`: whether the proxy is made
 * @returns {Frames}
 */
export function createFrames(medium, { isReady = async () => true } = {}) {
  return medium.kind === "video" ? createClip(medium, isReady) : createPicture(medium);
}

/** @param {any} medium @returns {Frames} */
function createPicture(medium) {
  const image = new Image();
  const decoded = new Promise((resolve) => {
    image.addEventListener("load", () => resolve(true));
    image.addEventListener("error", () => resolve(false));
  });
  image.src = medium.picture;
  const there = () => image.complete && image.naturalWidth > 0;
  /** @type {Frames} */
  const frames = {
    draw(context, _, width, height) {
      if (there()) context.drawImage(image, 0, 0, width, height);
      return there();
    },
    ready: () => decoded,
    play() {},
    pause() {},
    frame: () => 0,
    set() {},
    source: () => "picture",
    onReady: null,
    onSource: null,
    dispose() {
      frames.onReady = null;
      image.removeAttribute("src");
    },
  };
  decoded.then((loaded) => loaded && frames.onReady?.(0));
  return frames;
}

/** @param {any} medium @param {() => Promise<boolean>} isReady @returns {Frames} */
function createClip(medium, isReady) {
  const stills = createStills(medium);
  /** @type {ReturnType<typeof createExactVideo> | null} */
  let video = null;
  let usable = false;
  let closed = false;
  let latest = 0;
  let asked = -1; // the frame somebody waits for
  let slow = 0;
  /** @type {{stop: () => void} | null} */
  let playing = null;
  /** @type {Playing} */
  const how = { rate: 1, loop: false, muted: false, range: null };
  /** @type {Map<number, {promise: Promise<boolean>, resolve: (there: boolean) => void}>} */
  const waiters = new Map();

  const has = (frame) => (usable && video?.shown() === frame) || stills.get(frame) !== null;

  /** @param {number} frame @param {boolean} there */
  function settle(frame, there) {
    waiters.get(frame)?.resolve(there);
    waiters.delete(frame);
  }

  /** @param {number} frame */
  function arrived(frame) {
    if (closed) return;
    latest = frame;
    if (frame === asked) forget();
    settle(frame, true);
    frames.onReady?.(frame);
  }

  /** @param {number} frame @param {boolean} alone whether no video may still bring it */
  async function fetchStill(frame, alone) {
    const there = await stills.load(frame);
    if (there) arrived(frame);
    else if (alone) {
      if (frame === asked) forget();
      settle(frame, false);
    }
  }

  function forget() {
    clearTimeout(slow);
    asked = -1;
  }

  /** @param {number} frame */
  function want(frame) {
    if (frame === asked) return;
    forget();
    for (const other of [...waiters.keys()]) if (other !== frame) settle(other, false);
    asked = frame;
    if (usable && video) {
      slow = window.setTimeout(fetchStill, SLOW, frame, false);
      video.show(frame);
    } else fetchStill(frame, true);
  }

  /** @param {boolean} works */
  function use(works) {
    if (closed || usable === works) return;
    usable = works;
    if (works) video?.set(how);
    const waited = asked;
    forget();
    if (waited >= 0) want(waited);
    frames.onSource?.();
  }

  async function awaitProxy() {
    if (!medium.proxy || !("requestVideoFrameCallback" in HTMLVideoElement.prototype)) return;
    for (let pause = POLL.first, failures = 0; !closed && failures < POLL.failures; ) {
      try {
        if (await isReady()) break;
        failures = 0;
      } catch {
        failures += 1; // it could not be made; or the network, which may come back
        if (failures === POLL.failures) return;
      }
      await later(pause);
      pause = Math.min(POLL.most, pause * 1.5);
    }
    if (closed) return;
    video = createExactVideo(medium, {
      onOpen: () => use(true),
      onShown: arrived,
      onMissed: (frame) => fetchStill(frame, true),
      onFailed: () => use(false),
    });
  }

  /** What is to be played, beginning at a frame. @param {number} from */
  function part(from) {
    const whole = { first: 0, last: medium.frames - 1, loop: how.loop };
    if (!how.range || from < how.range[0] || from > how.range[1]) return whole;
    return { ...whole, first: how.range[0], last: how.range[1] };
  }

  /** Play JPEGs: every frame is shown, later than it should be if it comes late. */
  function playStills(from, onFrame, onEnd) {
    let going = true;
    const stop = () => (going = false);
    const run = async () => {
      let due = performance.now();
      for (let frame = from; going; ) {
        for (let ahead = AHEAD; ahead > 0; ahead -= 1) {
          if (frame + ahead < medium.frames) stills.load(frame + ahead);
        }
        if (!(await stills.load(frame)) && going) await later(100);
        await later(Math.max(0, due - performance.now()));
        if (!going) return;
        latest = frame;
        onFrame(frame);
        const length = endOf(medium, frame) - medium.times[frame];
        due = Math.max(due, performance.now() - 1000 * length) + (1000 * length) / how.rate;
        const { first, last, loop } = part(from);
        if (frame < last) frame += 1;
        else if (loop) frame = first;
        else break;
      }
      await later(Math.max(0, due - performance.now()));
      if (going) end(onEnd);
    };
    run();
    return { stop };
  }

  /** Play the proxy, as soon as it is where it should begin. */
  function playVideo(from, onFrame, onEnd) {
    let going = true;
    const run = async () => {
      if (video?.shown() !== from) await frames.ready(from);
      if (going) video?.play(from, part(from), onFrame, () => end(onEnd));
    };
    run();
    return {
      stop() {
        going = false;
        video?.pause();
      },
    };
  }

  /** @param {(() => void) | undefined} onEnd */
  function end(onEnd) {
    playing = null;
    onEnd?.();
  }

  /** @type {Frames} */
  const frames = {
    draw(context, frame, width, height) {
      const still = usable && video?.shown() === frame ? video.copy : stills.get(frame);
      if (still) context.drawImage(still, 0, 0, width, height);
      else want(frame);
      return still !== null;
    },

    ready(frame) {
      if (closed) return Promise.resolve(false);
      if (has(frame)) return Promise.resolve(true);
      want(frame);
      let waiter = waiters.get(frame);
      if (!waiter) {
        let resolve = /** @type {(there: boolean) => void} */ (() => {});
        const promise = /** @type {Promise<boolean>} */ (new Promise((done) => (resolve = done)));
        waiter = { promise, resolve };
        waiters.set(frame, waiter);
      }
      return waiter.promise;
    },

    play(from, onFrame, onEnd) {
      frames.pause();
      const { range } = how;
      const start = range && range[0] < range[1] && from === range[1] ? range[0] : from;
      playing = (usable ? playVideo : playStills)(start, onFrame, onEnd);
    },

    pause() {
      playing?.stop();
      playing = null;
    },

    frame: () => latest,

    set(changes) {
      Object.assign(how, changes);
      video?.set(how);
      if (playing) video?.limit(part(latest));
    },

    source: () => (usable ? "video" : "stills"),
    onReady: null,
    onSource: null,

    dispose() {
      closed = true;
      frames.pause();
      clearTimeout(slow);
      for (const frame of [...waiters.keys()]) settle(frame, false);
      frames.onReady = frames.onSource = null;
      video?.dispose();
      stills.dispose();
    },
  };
  awaitProxy();
  return frames;
}

/** @param {number} pause ms @returns {Promise<void>} */
function later(pause) {
  return new Promise((resolve) => setTimeout(resolve, pause));
}
