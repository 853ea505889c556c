/**
 * The first screen: a place to drop a file, and examples to begin with.
 *
 * Files are also taken from the clipboard, and dropped anywhere on the workspace later on.
 */
import { ACCEPT, mountGallery } from "./gallery.js";

/**
 * @param {HTMLElement} root the workspace
 * @param {{kind: "image"|"video", limits: string, examples: any[]}} facts
 * @param {any} actions
 * @param {(key: string, ...args: unknown[]) => string} t
 */
export function mountStart(root, facts, actions, t) {
  const { kind } = facts;
  const find = (selector) => root.querySelector(selector);
  const life = new AbortController();
  const on = (target, name, fn) => target.addEventListener(name, fn, { signal: life.signal });

  find(".x-lead").textContent = t(`page.lead.${kind}`);
  find(".x-drop-title").textContent = t(`page.drop.${kind}`);
  find(".x-drop-or").textContent = t("page.or");
  find(".x-choose span").textContent = t(`page.choose.${kind}`);
  find(".x-another span").textContent = t(`page.another.${kind}`);
  find(".x-limits").textContent = `${facts.limits} ${t("page.paste")}`;
  find(".x-examples-title").textContent = t("page.examples");

  for (const input of root.querySelectorAll(".x-file")) {
    input.accept = ACCEPT[kind];
    on(input, "change", () => {
      if (input.files[0]) actions.openFile(input.files[0]);
      input.value = "";
    });
  }

  const drop = find(".x-drop");
  on(root, "dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("x-over");
  });
  on(root, "dragleave", (event) => {
    if (!root.contains(event.relatedTarget)) drop.classList.remove("x-over");
  });
  on(root, "drop", (event) => {
    drop.classList.remove("x-over");
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    actions.openFile(file);
  });
  on(document, "paste", (event) => {
    const [file] = event.clipboardData?.files ?? [];
    if (file && root.offsetParent !== null) actions.openFile(file);
  });

  const gallery = mountGallery(find(".x-gallery"), facts.examples, actions, t);
  return {
    destroy() {
      life.abort();
      gallery.destroy();
    },
  };
}
