"use strict";
// Sorts and filters the table of submissions. Without it the table is whole, in the order of the names.
const body = document.querySelector("tbody");
const rows = [...body.rows].map((row) => ({
  row,
  text: (row.cells[0].textContent + " " + row.cells[row.cells.length - 1].textContent).toLowerCase(),
  is: row.dataset.is.split(" "),
}));
const find = document.getElementById("find");
const which = document.getElementById("which");
const names = new Intl.Collator("en", { numeric: true });

function filter() {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text, is } of rows) {
    const fits = (!which.value || is.includes(which.value)) && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} shown`;
}

function sort(heading, column) {
  const up = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", up ? "ascending" : "descending");
  const key = ({ row }) => row.cells[column].dataset.v;
  const compare = (a, b) =>
    key(a) === undefined
      ? names.compare(a.row.cells[column].textContent, b.row.cells[column].textContent)
      : key(a) - key(b);
  rows.sort((a, b) => (up ? compare(a, b) : compare(b, a)));
  body.append(...rows.map(({ row }) => row));
}

document.querySelectorAll("thead th").forEach((heading, column) => {
  const button = document.createElement("button");
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => sort(heading, column));
});
find.addEventListener("input", filter);
which.addEventListener("change", filter);
document.getElementById("tools").hidden = false;
filter();
