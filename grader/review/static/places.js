// From one place to the next, and what was handed in there.

import { $, $$, say } from "./page.js";
import { isUnsaved, save, show } from "./rubric.js";

let leaving = false; // keys that are pressed on the way would decide about what is no longer seen

/** Another page in place of this one; the frame with the PDF stays, so that the next is there at once. */
export const go = (address, options = {}) => leave(() => exchange(address, options));

export const isLeaving = () => leaving;

/** Do something that ends in another place; no key counts until it is there. */
export async function leave(action) {
  leaving = true;
  try {
    return await action();
  } finally {
    leaving = false;
  }
}

async function exchange(address, { back = false }) {
  if (isUnsaved() && !(await save())) return;
  let page;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error(await response.text());
    page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!back) history.pushState(null, "", response.url);
  } catch (error) {
    say("The server does not answer. Is its command still running?");
    return;
  }
  const [here, there] = [$("main"), $("main", page)];
  document.title = page.title;
  $(".top").replaceWith($(".top", page));
  $("#query").dataset.task = $("#query", page).dataset.task;
  if (here.className === "desk" && there.className === "desk") {
    const frame = $(".frame");
    const same = here.dataset.entry === there.dataset.entry && here.dataset.result === there.dataset.result;
    here.dataset.entry = there.dataset.entry;
    here.dataset.result = there.dataset.result;
    if (frame) {
      frame.id = $(".frame", there).id;
      frame.hidden = true; // until it is selected
    }
    $("#views").replaceWith($("#views", there));
    $(".panel").replaceWith($(".panel", there));
    arrived(!same);
  } else {
    here.replaceWith(there);
    ready = false;
    arrived(true);
  }
  scrollTo(0, 0);
  $("h1").focus({ preventScroll: true }); // a screen reader tells where one is
}

export function arrived(anew) {
  show();
  $(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if ($(".desk")) {
    if (anew) load();
    select($('[role="tab"][aria-selected="true"]'));
  }
}

let ready = false; // the frame listens
let newest = 0;

export function tell(message, transfer = []) {
  $(".frame")?.contentWindow.postMessage(message, "*", transfer);
}

/** The PDF's bytes go into the frame, which knows no address of ours. */
async function load() {
  const address = $(".tabs").dataset.pdf;
  const mine = ++newest;
  if (!ready) return;
  tell({ close: true });
  if (!address) return;
  try {
    const response = await fetch(address);
    if (!response.ok) throw new Error((await response.json()).error);
    const pdf = await response.arrayBuffer();
    if (mine === newest) tell({ pdf }, [pdf]);
  } catch (error) {
    say(error.message);
  }
}

export function select(tab) {
  for (const one of $$('[role="tab"]')) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", chosen);
    one.tabIndex = chosen ? 0 : -1;
    const view = document.getElementById(one.getAttribute("aria-controls"));
    if (view) view.hidden = !chosen;
  }
}

/** The tab so many steps from one, around at the end. */
export function tabFrom(tab, step) {
  const tabs = $$('[role="tab"]');
  return tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
}

export function scroll(share) {
  const view = $(".view:not([hidden])");
  if (view) view.scrollBy({ top: share * view.clientHeight });
  else tell({ scroll: share });
}

addEventListener("message", ({ source, data }) => {
  if (source !== $(".frame")?.contentWindow) return;
  if (data === "ready") {
    ready = true;
    load();
  }
  if (data === "keys") focus(); // the only things that the frame can ask for
});
