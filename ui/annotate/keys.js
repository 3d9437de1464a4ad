// Stands between the keyboard and the answer buttons: one press answers one item that was really on the screen.
// Streamlit's own shortcuts repeat while a key is held, fire behind an open dialog, go dead while a checkbox has focus
// or another key is still down, and are bound some time after their button is drawn; and a second quick press would
// answer an item that nobody has seen. So they are never reached: the button is clicked from here.
const SETTLE_MS = 200;
const FORGET_MS = 4000;
const ANSWERS = ":is(.st-key-answers, .st-key-actions) button";
const OFFER = ".st-key-offer button";
const AGAIN = "[class*=st-key-show-again] button";

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
  const state = { shown: null, seen: null, since: 0, answered: null, at: 0, held: null };
  // Who has just written a name in the sidebar is still in it, and would write the answers behind it.
  const leaveName = () => {
    const focused = document.activeElement;
    const named = focused instanceof HTMLInputElement && focused.type === "text" && focused.role !== "combobox";
    if (named && focused.closest('[data-testid="stSidebar"]')) focused.blur();
  };
  const card = () => document.querySelector("[data-shown]");
  const buttonOf = (selector, key) =>
    [...document.querySelectorAll(selector)].find(
      (button) => button.querySelector("kbd")?.textContent.trim().toLowerCase() === key
    );
  const look = () => {
    const now = card()?.dataset.shown ?? null;
    if (now === state.shown) return;
    if (state.shown === null) leaveName();
    state.shown = now;
    // A page that is drawn anew may take the card away and bring it back: that one was seen already.
    if (now !== null && now !== state.seen) {
      // The first item of a page needs no time to settle: no press was meant for one before it.
      state.since = state.seen === null ? -SETTLE_MS : performance.now();
      state.seen = now;
      state.held = null;
    }
  };
  const settled = () => {
    look();
    const now = performance.now();
    const waiting = state.answered === state.shown && now - state.at < FORGET_MS;
    return state.shown !== null && !waiting && now - state.since >= SETTLE_MS;
  };
  const accept = () => {
    if (!settled()) return false;
    state.answered = state.shown;
    state.at = performance.now();
    state.held = null;
    card()?.classList.add("leaving");
    setTimeout(again, FORGET_MS, state.answered);
    return true;
  };
  // What came of a press may be lost on its way here: then what is asked now is drawn anew, and nothing is answered.
  const again = (answered) => {
    look();
    if (state.shown !== answered || state.answered !== answered) return;
    document.querySelector(AGAIN)?.click();
    setTimeout(again, FORGET_MS, answered);
  };
  // The item may be on the screen before its buttons are, or while the server is away: its press waits for them.
  const deliver = () => {
    const button = state.held && state.shown && buttonOf(ANSWERS, state.held);
    if (button && !button.disabled && accept()) button.click();
  };
  new MutationObserver(() => {
    look();
    deliver();
  }).observe(document.body, { subtree: true, childList: true, attributeFilter: ["disabled"] });
  look();

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
      const offered = buttonOf(OFFER, key);
      const answer = buttonOf(ANSWERS, key);
      if (offered || answer) stop(event);
      if (unclear) return;
      if (offered) return offered.click();
      if (key.length !== 1 || !settled()) return;
      state.held = key;
      deliver();
    },
    true
  );
  window.addEventListener(
    "click",
    (event) => {
      const button = event.target instanceof Element && event.target.closest(ANSWERS);
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
