// What is decided of a task, and how it is saved: every change at once. A save names the state that was seen, so that
// nobody's word is lost.

import { $, $$, post } from "./page.js";

const SCALE = 10_000; // points have at most four digits after the point
const PAUSE = 700; // milliseconds without a key until what is typed is saved

export const rubric = () => $("#rubric");
const number = (text) => Math.round(Number(text.replace(",", ".")) * SCALE) / SCALE;
export const field = (item) => $("input", item.parentElement);

export function show() {
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

export function toggle(item) {
  field(item).value = item.getAttribute("aria-pressed") === "true" ? "0" : item.dataset.full;
  changed();
}

export function decideAll(button) {
  $$(".item").forEach((item) => (field(item).value = button.dataset.all === "full" ? item.dataset.full : "0"));
  changed();
}

export function use(phrase) {
  const comment = $("#comment");
  const text = phrase.dataset.text;
  const there = comment.value.includes(text);
  comment.value = there ? comment.value.replace(text, "").replace(/ {2,}/g, " ").trim() : `${comment.value} ${text}`.trim();
  changed();
}

let unsaved = false;
let saving = Promise.resolve(true);
let pause = 0;

export function changed() {
  unsaved = true;
  show();
  save();
}

export function later() {
  unsaved = true;
  show();
  clearTimeout(pause);
  pause = setTimeout(save, PAUSE);
}

export const isUnsaved = () => unsaved;

/**
 * One save after the other; what changed while one was on its way is in the next. False where it was refused, and the
 * address of what waits next once a task is done.
 */
export function save(done = null) {
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
  return done ? answer.next || true : true;
}

export function take(button) {
  if (button.dataset.take === "mine") {
    rubric().elements.state.value = button.dataset.state;
    $("#conflict").replaceChildren();
    save();
  } else {
    unsaved = false;
    location.reload();
  }
}
