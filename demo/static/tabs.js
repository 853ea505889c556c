/**
 * Keys for the page's tabs, which Gradio draws without any: one stop for Tab, and from there the
 * arrow keys, Home and End, as the ARIA pattern for tabs has it. A tab opens as it gets the focus.
 */
const LIST = ".tab-wrapper [role=tablist]";
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** @param {Element} list */
const tabsOf = (list) => [...list.querySelectorAll("[role=tab]:not(:disabled)")];

/** @param {HTMLElement} list */
function takeCare(list) {
  const mark = () => {
    for (const tab of tabsOf(list)) tab.tabIndex = tab.ariaSelected === "true" ? 0 : -1;
  };
  mark();
  new MutationObserver(mark).observe(list, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
  list.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const tabs = tabsOf(list);
    const here = tabs.indexOf(event.target);
    const ends = { Home: 0, End: tabs.length - 1 };
    const next = event.key in STEPS ? (here + STEPS[event.key] + tabs.length) % tabs.length : ends[event.key];
    if (here < 0 || next === undefined) return;
    event.preventDefault();
    tabs[next].click();
    tabs[next].focus();
  });
}

const waiting = new MutationObserver(() => {
  const list = document.querySelector(LIST);
  if (!list) return;
  waiting.disconnect();
  takeCare(list);
});
waiting.observe(document.body, { subtree: true, childList: true });
