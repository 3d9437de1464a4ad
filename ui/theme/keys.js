// Stands between the keyboard and the answer buttons: one press answers one item that was really on the screen.
// Streamlit's own shortcuts repeat while a key is held, fire behind an open dialog, and go dead while a checkbox has
// focus; and a second quick press would answer an item that nobody has seen.
const SETTLE_MS = 200;
const FORGET_MS = 4000;

const typing = (event) =>
  event.composedPath().some(
    (node) =>
      node instanceof HTMLElement &&
      (node.isContentEditable ||
        node.tagName === "TEXTAREA" ||
        node.tagName === "SELECT" ||
        (node.tagName === "INPUT" && !["checkbox", "radio", "button", "range"].includes(node.type)))
  );

function install() {
  const state = { shown: null, seen: null, since: 0, answered: null, at: 0 };
  // Who has just written a name in the sidebar is still in it, and would write the answers behind it.
  const leaveName = () => {
    const focused = document.activeElement;
    const named = focused instanceof HTMLInputElement && focused.type === "text" && focused.role !== "combobox";
    if (named && focused.closest('[data-testid="stSidebar"]')) focused.blur();
  };
  const card = () => document.querySelector("[data-shown]");
  const look = () => {
    const now = card()?.dataset.shown ?? null;
    if (now === state.shown) return;
    if (state.shown === null) leaveName();
    state.shown = now;
    // A page that is drawn anew may take the card away and bring it back: that one was seen already.
    if (now !== null && now !== state.seen) {
      state.seen = now;
      state.since = performance.now();
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
  look();
  // What was on the screen before this script was there needs no time to settle: no press was meant for one before it.
  state.since = -SETTLE_MS;

  const accept = () => {
    look();
    const now = performance.now();
    const waiting = state.answered === state.shown && now - state.at < FORGET_MS;
    if (state.shown === null || waiting || now - state.since < SETTLE_MS) return false;
    state.answered = state.shown;
    state.at = now;
    card()?.classList.add("leaving");
    return true;
  };
  const keysOf = (selector) =>
    [...document.querySelectorAll(`${selector} kbd`)].map((kbd) => kbd.textContent.trim().toLowerCase());
  const stop = (event) => {
    event.stopImmediatePropagation();
    event.preventDefault();
  };

  window.addEventListener(
    "keydown",
    (event) => {
      if (typing(event) || event.ctrlKey || event.metaKey || event.altKey || !card()) return;
      const key = event.key.toLowerCase();
      const unclear = event.repeat || document.querySelector('[role="dialog"]');
      if (unclear && keysOf(".st-key-offer").includes(key)) return stop(event);
      const answers = keysOf(":is(.st-key-answers, .st-key-actions)");
      if (!answers.includes(key)) return;
      if (unclear || !accept()) stop(event);
    },
    true
  );
  window.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element && event.target.closest(".st-key-answers button, .st-key-actions button");
      if (button && event.isTrusted && !accept()) stop(event);
    },
    true
  );
  // A ticked box keeps the focus, and so does a menu in which something was chosen; Streamlit's shortcuts are silent
  // while an input has it.
  const release = () => {
    const focused = document.activeElement;
    if (!(focused instanceof HTMLInputElement)) return;
    const closed = focused.getAttribute("role") === "combobox" && focused.getAttribute("aria-expanded") !== "true";
    if (focused.type === "checkbox" || (closed && card())) focused.blur();
  };
  const chosen = (event) => event.target instanceof Element && event.target.closest('[role="option"]');
  window.addEventListener("change", () => setTimeout(release), true);
  window.addEventListener("click", (event) => setTimeout(release, chosen(event) ? 150 : 0), true);
  window.addEventListener("keyup", (event) => event.key === "Enter" && setTimeout(release, 150), true);
  return state;
}

export default function () {
  window.tallyKeys ??= install();
}
