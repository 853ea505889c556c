/**
 * Examples to begin with: each card shows a result and the question it answers.
 *
 * A card opens its picture and asks its question; the button under it asks the same question of
 * a file of one's own.
 */
import { element } from "./element.js";

/** What a file chooser offers. */
export const ACCEPT = { image: "image/*,.heic,.avif", video: "video/*,image/gif,image/webp,image/apng,.zip,.mkv" };

/**
 * @param {HTMLElement} root
 * @param {{id: string, title: string, question: string, thumbnail: string, kind: "image"|"video"}[]} examples
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountGallery(root, examples, actions, t) {
  /** @param {(typeof examples)[number]} example */
  function card({ id, title, question, thumbnail, kind }) {
    const open = element(
      "button",
      { type: "button", class: "x-card-open", onclick: () => actions.openExample(id, { keepMedium: false }) },
      element("img", {
        class: "x-card-picture",
        src: thumbnail,
        alt: t("gallery.alt", title),
        loading: "lazy",
        decoding: "async",
        width: 320,
        height: 320,
      }),
      element("span", { class: "x-card-title" }, title),
      element("span", { class: "x-card-question" }, t("gallery.quote", question)),
    );
    const file = element("input", {
      type: "file",
      class: "x-sr",
      accept: ACCEPT[kind],
      "aria-label": `${t(`gallery.own.${kind}`)} ${t("gallery.quote", question)}`,
      onchange: async () => {
        const [chosen] = file.files;
        file.value = "";
        if (!chosen) return;
        await actions.openFile(chosen);
        actions.openExample(id, { keepMedium: true });
      },
    });
    const own = element("label", { class: "x-card-own" }, file, element("span", {}, t(`gallery.own.${kind}`)));
    return element("li", { class: "x-card" }, open, own);
  }

  const list = element("ul", { class: "x-cards" }, ...examples.map(card));
  root.append(list);
  return { destroy: () => list.remove() };
}
