/**
 * A <video> whose frames have numbers.
 *
 * A browser seeks to times and not to frames, so we aim at the middle of a frame, where no
 * rounding leads to its neighbour. What arrives is grabbed as a `VideoFrame`, which carries its own
 * time stamp: a busy browser may call back late, with the next frame already on the video. The
 * copy and its number belong together, whenever it is drawn.
 *
 * Where there is no `VideoFrame` (pages that come neither by HTTPS nor from this machine), the
 * time that requestVideoFrameCallback names is taken: exact while paused, and rarely one frame off
 * while playing.
 */
import { endOf, nearestFrame } from "./times.js";

const PATIENCE = 200; // ms after a seek until a browser that names no frame is believed
const NEAR = 0.0015; // s; a stamp that is no frame's time is the clock's, and names no frame

/**
 * @param {{proxy: string, times: number[], seconds: number, width: number, height: number}} clip
 * @param {{onOpen: () => void, onShown: (frame: number) => void, onMissed: (frame: number) => void,
 *   onFailed: () => void}} tell `onMissed`: it landed elsewhere
 */
export function createExactVideo(clip, tell) {
  const { times } = clip;
  const video = document.createElement("video");
  const copy = document.createElement("canvas");
  copy.width = clip.width;
  copy.height = clip.height;
  const context = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d", { alpha: false }));
  let closed = false;
  let open = false;
  let shown = -1; // the frame that `copy` is of
  let wanted = 0;
  let seeking = false;
  let aim = -1; // where a seek is to land, until it has
  let named = 0; // frames presented so far
  /** @type {null | {first: number, last: number, loop: boolean, onFrame: Function, onEnd: Function}} */
  let run = null;
  let timer = 0;

  /** @param {number} frame @param {CanvasImageSource} picture */
  function take(frame, picture) {
    context.drawImage(picture, 0, 0, copy.width, copy.height);
    shown = frame;
    tell.onShown(frame);
  }

  /** @param {number} mediaTime */
  function presented(mediaTime) {
    named += 1;
    const grabbed = grab(video);
    const stamp = grabbed ? grabbed.timestamp / 1e6 : mediaTime;
    const nearest = nearestFrame(times, stamp);
    const frame = Math.abs(times[nearest] - stamp) < NEAR ? nearest : nearestFrame(times, mediaTime);
    arrived(frame, grabbed ?? video);
    grabbed?.close();
  }

  /** @param {number} frame @param {CanvasImageSource} picture */
  function arrived(frame, picture) {
    if (!run) {
      if (frame === wanted) take(frame, picture);
      return;
    }
    if (video.seeking && frame !== aim) return;
    if (frame > run.last) {
      turn();
      return;
    }
    if (frame === shown) return;
    take(frame, picture);
    wanted = frame;
    run.onFrame(frame);
    if (run && frame === run.last && !timer) {
      timer = window.setTimeout(turn, (1000 * (endOf(clip, frame) - times[frame])) / video.playbackRate);
    }
  }

  function listen() {
    video.requestVideoFrameCallback((_, { mediaTime }) => {
      if (closed) return;
      presented(mediaTime);
      listen();
    });
  }

  /** The end of what is to be played: begin again, or stop. */
  function turn() {
    clearTimeout(timer);
    timer = 0;
    if (!run) return;
    if (run.loop) {
      seekTo(run.first);
      start();
      return;
    }
    const { last, onFrame, onEnd } = run;
    halt();
    if (wanted !== last) onFrame(last);
    show(last);
    onEnd();
  }

  function halt() {
    clearTimeout(timer);
    timer = 0;
    run = null;
    video.pause();
  }

  function start() {
    video.play().catch((error) => {
      if (error.name !== "NotAllowedError" || !run) return;
      video.muted = true; // no sound before a person has touched the page
      video.play().catch(() => run && turn());
    });
  }

  /** @param {number} frame */
  function seekTo(frame) {
    aim = frame;
    const end = endOf(clip, frame);
    // The file may end a little sooner than the clip says; beyond its end `play` begins anew.
    const cut = times[frame] < video.duration && video.duration < end ? video.duration : end;
    video.currentTime = (times[frame] + cut) / 2;
  }

  /** Seek to what is wanted by now; one seek at a time, and the latest wish wins. */
  async function seek() {
    if (seeking || !open) return;
    seeking = true;
    while (!closed && !run && wanted !== shown) {
      const target = wanted;
      const before = named;
      seekTo(target);
      await next(video, "seeked");
      const end = performance.now() + PATIENCE;
      while (!closed && shown !== target && wanted === target && performance.now() < end) await nextFrame();
      if (closed || run || wanted !== target || shown === target) continue;
      if (named === before) take(target, video);
      else {
        tell.onMissed(target);
        break;
      }
    }
    seeking = false;
  }

  /** @param {number} frame */
  function show(frame) {
    wanted = frame;
    seek();
  }

  video.preload = "auto";
  video.playsInline = true;
  video.addEventListener("loadeddata", () => {
    if (open) return;
    open = true;
    tell.onOpen();
  });
  video.addEventListener("error", () => closed || tell.onFailed());
  video.addEventListener("ended", () => run && !timer && turn());
  video.src = clip.proxy;
  listen();

  return {
    copy,
    shown: () => shown,
    show,

    /**
     * Play from where `show` has led, up to `last`, and from `first` again if it loops.
     *
     * @param {number} from
     * @param {{first: number, last: number, loop: boolean}} part
     * @param {(frame: number) => void} onFrame called as each frame is drawn
     * @param {() => void} onEnd
     */
    play(from, part, onFrame, onEnd) {
      run = { ...part, onFrame, onEnd };
      if (shown !== from || nearestFrame(times, video.currentTime) !== from) seekTo(from);
      start();
    },

    pause() {
      halt();
      show(wanted);
    },

    /** @param {{rate: number, muted: boolean}} how */
    set({ rate, muted }) {
      video.playbackRate = video.defaultPlaybackRate = rate;
      video.muted = muted;
    },

    /** @param {{first: number, last: number, loop: boolean}} part */
    limit(part) {
      if (run) Object.assign(run, part);
    },

    dispose() {
      closed = true;
      halt();
      video.removeAttribute("src");
      video.load();
    },
  };
}

/** What the video shows, with its stamp; null where that cannot be had. @param {HTMLVideoElement} video */
function grab(video) {
  if (!("VideoFrame" in window)) return null;
  try {
    return new VideoFrame(video);
  } catch {
    return null;
  }
}

/** @param {EventTarget} target @param {string} name @returns {Promise<void>} */
function next(target, name) {
  return new Promise((resolve) => target.addEventListener(name, () => resolve(), { once: true }));
}

/** Wait for the next frame of the screen, or a moment where the page is not on it. @returns {Promise<void>} */
function nextFrame() {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, 50);
    requestAnimationFrame(done);
  });
}
