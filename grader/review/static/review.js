// Grading with the keyboard. Every key is declared by the element that it presses (aria-keyshortcuts).

import { $, $$, post } from "./page.js";
import { arrived, go, isLeaving, leave, scroll, select, tabFrom, tell } from "./places.js";
import { decideAll, field, isUnsaved, later, rubric, save, show, take, toggle, use } from "./rubric.js";

const OWN = {
  j: () => scroll(0.6),
  k: () => scroll(-0.6),
  v: () => select(tabFrom($('[role="tab"][aria-selected="true"]'), 1)),
  "+": () => tell({ zoom: 1.2 }),
  "=": () => tell({ zoom: 1.2 }),
  "-": () => tell({ zoom: 1 / 1.2 }),
};

addEventListener("keydown", (event) => {
  if (isLeaving()) return event.preventDefault();
  const typing = event.target.matches("input, textarea, select");
  if (event.target.id === "query") return inSearch(event);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && rubric()) return press(event, $(".finish .main"));
  if (typing) return inField(event);
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const digit = /^Digit[1-9]$/.test(event.code) && event.shiftKey && event.key !== "/" ? event.code.slice(-1) : "";
  if (digit && $(`#item-${digit}`)) {
    event.preventDefault();
    field($(`#item-${digit}`)).select();
    return;
  }
  if (event.key === "Enter" && event.target.closest("button, a, summary")) return; // it presses what has the focus
  if (event.target.matches('[role="tab"]') && /^Arrow(Left|Right)$/.test(event.key)) return turnTab(event);
  if (OWN[event.key] && $(".desk")) return OWN[event.key]();
  const name = event.shiftKey && /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
  const target = $$("[aria-keyshortcuts]").find((one) => one.getAttribute("aria-keyshortcuts") === name);
  if (target) press(event, target);
});

function press(event, target) {
  event.preventDefault();
  if (target.matches("textarea")) target.focus();
  else if (target.matches("select")) {
    target.value = target.value === "task" ? "student" : "task";
    target.dispatchEvent(new Event("change", { bubbles: true }));
  } else target.click();
}

function inField(event) {
  if (event.key === "Escape" || (event.key === "Enter" && event.target.name === "item")) {
    event.preventDefault();
    event.target.blur();
  }
}

function inSearch(event) {
  const links = $$("#found a");
  if (event.key === "Enter" && links.length) press(event, links[0]);
  if (event.key === "ArrowDown" && links.length) {
    event.preventDefault();
    links[0].focus();
  }
}

function turnTab(event) {
  const next = tabFrom(event.target, event.key === "ArrowRight" ? 1 : -1);
  select(next);
  next.focus();
}

addEventListener("click", (event) => {
  const target = event.target.closest("a, button, [data-opens]");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.matches("a[href]:not([download], .skip)")) {
    event.preventDefault();
    $("dialog[open]")?.close();
    go(target.href);
    return;
  }
  if (event.detail && target.closest("#rubric")) target.blur(); // after the mouse, Enter still ends the task
  if (target.matches(".item")) toggle(target);
  else if (target.dataset.all) decideAll(target);
  else if (target.matches(".phrase")) use(target);
  else if (target.matches("[data-keep]")) keep({ text: $("#comment").value });
  else if (target.dataset.forget) keep({ forget: target.dataset.forget });
  else if (target.dataset.take) take(target);
  else if (target.matches('[role="tab"]')) select(target);
  else if (target.dataset.opens) openDialog(target.dataset.opens);
});

function openDialog(name) {
  document.getElementById(name).showModal();
  if (name !== "finding") return;
  $("#query").value = "";
  find();
}

async function keep(fields) {
  const answer = await post($("#phrases").dataset.action, new URLSearchParams(fields));
  if (answer !== null) $("#phrases").innerHTML = answer;
  show();
}

async function find() {
  const query = $("#query");
  const asked = query.value;
  const response = await fetch(`${document.body.dataset.base}/find?${new URLSearchParams({ q: asked, task: query.dataset.task })}`);
  const answer = await response.text();
  if (query.value === asked) $("#found").innerHTML = answer;
}

addEventListener("input", (event) => {
  if (event.target.id === "query") find();
  else if (event.target.id === "comment" || event.target.name === "item") later();
});

addEventListener("change", (event) => {
  if (event.target.id === "order") {
    const address = new URL(location.href);
    address.searchParams.set("order", event.target.value);
    go(address.href);
  } else if (event.target.id === "comment" || event.target.name === "item") save();
});

addEventListener("submit", async (event) => {
  if (event.target.method === "dialog") return;
  event.preventDefault();
  if (event.target.id === "rubric") {
    const next = await leave(() => save("yes"));
    if (typeof next === "string") go(document.body.dataset.base + next);
  } else {
    const answer = await post($("#requests").dataset.action, new URLSearchParams(new FormData(event.target)));
    if (answer !== null) $("#requests").innerHTML = answer;
  }
});

addEventListener("popstate", () => go(location.href, { back: true }));
addEventListener("beforeunload", (event) => isUnsaved() && event.preventDefault());
arrived(false);
