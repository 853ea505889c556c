/**
 * The fields by which an effect is chosen: its name, what it is done to, and its colour.
 *
 * The panel beside the stage and the export dialog both show them. Fields that say nothing to the
 * effect in hand are not shown.
 */
import { element } from "./element.js";
import { EFFECTS, effectOf, USUAL } from "./effects.js";

/**
 * @param {(patch: {effect?: string, target?: string, colour?: string}) => void} set
 * @param {(key: string) => string} t
 * @returns {{nodes: HTMLElement[], show: (look: any) => void}}
 */
export function effectFields(set, t) {
  const options = (names, key) => names.map((name) => element("option", { value: name }, t(`effects.${key}.${name}`)));
  const effect = element(
    "select",
    {
      "data-name": "effect",
      // What suits one effect seldom suits the next: the background is greyed, a face is blurred.
      onchange: () => set({ effect: effect.value, target: EFFECTS[effect.value].targets[0] }),
    },
    ...options(Object.keys(EFFECTS), "name"),
  );
  const target = element(
    "select",
    { "data-name": "target", onchange: () => set({ target: target.value }) },
    ...options(["object", "background"], "target"),
  );
  const colour = element("input", { type: "color", "data-name": "colour", oninput: () => set({ colour: colour.value }) });
  const field = (name, control) => {
    control.setAttribute("aria-label", t(`effects.${name}`)); // the label's text has the options in it
    return element("label", { class: "x-field" }, t(`effects.${name}`), control);
  };
  const nodes = [field("effect", effect), field("target", target), field("colour", colour)];

  function show(look) {
    const row = effectOf(look);
    const now = { ...USUAL, ...look };
    effect.value = now.effect;
    target.value = now.target;
    colour.value = now.colour;
    nodes[1].hidden = row.targets.length < 2;
    nodes[2].hidden = !row.colour;
  }

  return { nodes, show };
}
