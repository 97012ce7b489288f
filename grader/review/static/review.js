// Grading with the keyboard. Every key is declared by the element that it presses (aria-keyshortcuts), and every
// change is saved at once; a save names the state that was seen, so that nobody's word is lost.

const $ = (selector, inside = document) => inside.querySelector(selector);
const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const SCALE = 10_000; // points have at most four digits after the point
const PAUSE = 700; // milliseconds without a key until what is typed is saved

// ---------------------------------------------------------------- what is decided

const rubric = () => $("#rubric");
const number = (text) => Math.round(Number(text.replace(",", ".")) * SCALE) / SCALE;
const field = (item) => $("input", item.parentElement);

function show() {
  const form = rubric();
  if (!form) return;
  let sum = 0;
  for (const item of $$(".item", form)) {
    const text = field(item).value.trim();
    const points = number(text);
    const full = points === Number(item.dataset.full);
    item.setAttribute("aria-pressed", text === "" || points === 0 ? "false" : full ? "true" : "mixed");
    item.parentElement.dataset.decided = text === "" ? "no" : points === 0 ? "none" : full ? "full" : "part";
    sum += Math.round((points || 0) * SCALE);
  }
  $("#sum").value = String(sum / SCALE);
  const comment = $("#comment").value;
  $$(".phrase").forEach((one) => one.setAttribute("aria-pressed", comment.includes(one.dataset.text)));
}

function toggle(item) {
  field(item).value = item.getAttribute("aria-pressed") === "true" ? "0" : item.dataset.full;
  changed();
}

function decideAll(button) {
  $$(".item").forEach((item) => (field(item).value = button.dataset.all === "full" ? item.dataset.full : "0"));
  changed();
}

function use(phrase) {
  const comment = $("#comment");
  const text = phrase.dataset.text;
  const there = comment.value.includes(text);
  comment.value = there ? comment.value.replace(text, "").replace(/ {2,}/g, " ").trim() : `${comment.value} ${text}`.trim();
  changed();
}

// ---------------------------------------------------------------- saving

let unsaved = false;
let saving = Promise.resolve(true);
let pause = 0;

function changed() {
  unsaved = true;
  show();
  save();
}

function later() {
  unsaved = true;
  show();
  clearTimeout(pause);
  pause = setTimeout(save, PAUSE);
}

/** One save after the other; what changed while one was on its way is in the next. */
function save(done = null) {
  clearTimeout(pause);
  saving = saving.then(() => (unsaved || done !== null ? send(done) : true));
  return saving;
}

async function send(done) {
  const form = rubric();
  const body = new URLSearchParams(new FormData(form));
  body.set("done", done ?? form.dataset.done);
  body.set("order", $("#order").value);
  unsaved = false;
  const answer = await post(form.getAttribute("action"), body);
  if (!answer) {
    unsaved = true;
    return false;
  }
  if (answer.conflict) {
    unsaved = true;
    $("#conflict").innerHTML = answer.conflict;
    $("#conflict > section").focus();
    return false;
  }
  form.elements.state.value = answer.state;
  form.dataset.done = answer.done ? "yes" : "no";
  $("#status").textContent = answer.status;
  $("#status").dataset.state = answer.done ? "done" : "begun";
  $("#progress").textContent = answer.progress;
  $("#progress + progress").value = parseInt(answer.progress, 10);
  if (done && answer.next) await go(document.body.dataset.base + answer.next);
  return true;
}

/** The answer to a form; null where it was refused or nobody answers, which is said. */
async function post(address, body) {
  try {
    const response = await fetch(address, { method: "POST", body });
    const isJson = (response.headers.get("content-type") || "").includes("json");
    const answer = isJson ? await response.json() : await response.text();
    if (!response.ok && !answer.conflict) throw new Error(answer.error || answer);
    say("");
    return answer;
  } catch (error) {
    say(error instanceof TypeError ? "Not saved: the server does not answer. Is its command still running?" : error.message);
    return null;
  }
}

function say(text) {
  $("#said").textContent = text;
}

function take(button) {
  if (button.dataset.take === "mine") {
    rubric().elements.state.value = button.dataset.state;
    $("#conflict").replaceChildren();
    save();
  } else {
    unsaved = false;
    location.reload();
  }
}

// ---------------------------------------------------------------- from one to the next

let leaving = false; // keys that are pressed on the way would decide about what is no longer seen

/** Another page in place of this one; the frame with the PDF stays, so that the next is there at once. */
async function go(address, options = {}) {
  leaving = true;
  try {
    await exchange(address, options);
  } finally {
    leaving = false;
  }
}

async function exchange(address, { back = false }) {
  if (unsaved && !(await save())) return;
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
    if (frame) frame.id = $(".frame", there).id;
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

function arrived(anew) {
  show();
  $(".top [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if ($(".desk")) {
    if (anew) load();
    select($('[role="tab"][aria-selected="true"]'));
  }
}

// ---------------------------------------------------------------- what was handed in

let ready = false; // the frame listens
let newest = 0;

function tell(message, transfer = []) {
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

function select(tab) {
  for (const one of $$('[role="tab"]')) {
    const chosen = one === tab;
    one.setAttribute("aria-selected", chosen);
    one.tabIndex = chosen ? 0 : -1;
    const view = document.getElementById(one.getAttribute("aria-controls"));
    if (view) view.hidden = !chosen;
  }
}

function scroll(share) {
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

// ---------------------------------------------------------------- keys and clicks

const OWN = {
  j: () => scroll(0.6),
  k: () => scroll(-0.6),
  v: () => select(tabFrom($('[role="tab"][aria-selected="true"]'), 1)),
  "+": () => tell({ zoom: 1.2 }),
  "=": () => tell({ zoom: 1.2 }),
  "-": () => tell({ zoom: 1 / 1.2 }),
};

addEventListener("keydown", (event) => {
  if (leaving) return event.preventDefault();
  const typing = event.target.matches("input, textarea, select");
  if (event.target.id === "query") return inSearch(event);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && rubric()) return press(event, $(".finish .main"));
  if (typing) return inField(event);
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const digit = /^Digit[1-9]$/.test(event.code) && event.shiftKey ? event.code.slice(-1) : "";
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

function tabFrom(tab, step) {
  const tabs = $$('[role="tab"]');
  return tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
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
    leaving = true;
    await save("yes").finally(() => (leaving = false));
  } else {
    const answer = await post($("#requests").dataset.action, new URLSearchParams(new FormData(event.target)));
    if (answer !== null) $("#requests").innerHTML = answer;
  }
});

addEventListener("popstate", () => go(location.href, { back: true }));
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
arrived(false);
