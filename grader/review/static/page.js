// What every part of the page's script needs.

export const $ = (selector, inside = document) => inside.querySelector(selector);
export const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];

export function say(text) {
  $("#said").textContent = text;
}

/** The answer to a form; null where it was refused or nobody answers, which is said. */
export async function post(address, body) {
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
