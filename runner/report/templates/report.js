// What the page adds to its tables: a click or the Enter key on a column's name sorts by it, and a button copies the
// table as CSV. Without scripts the page has the same contents.
"use strict";

const textOf = (cell) => cell.textContent.trim();

// A cell such as "1.04x [1.03, 1.05]" sorts by its first number; a text sorts as a text, after all numbers.
function sortKey(text) {
  const found = /^[-+]?\d[\d,]*(\.\d+)?/.exec(text);
  return found ? Number(found[0].replaceAll(",", "")) : text;
}

function compare(one, other) {
  const [isNumber, otherIsNumber] = [one, other].map((key) => typeof key === "number");
  if (isNumber && otherIsNumber) return one - other;
  return isNumber ? -1 : otherIsNumber ? 1 : one.localeCompare(other);
}

function sortBy(table, head, column) {
  const isDescending = head.getAttribute("aria-sort") === "ascending";
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows].map((row) => [sortKey(textOf(row.cells[column])), row]);
  rows.sort(([one], [other]) => (isDescending ? compare(other, one) : compare(one, other)));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csvOf = (table) => [...table.rows].map((row) => [...row.cells].map((cell) => quoted(textOf(cell))).join(",")).join("\n");

async function copy(table, button) {
  try {
    await navigator.clipboard.writeText(csvOf(table));
    button.textContent = "copied";
  } catch {
    button.textContent = "the browser does not allow copying";
  }
}

function button(label, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = label;
  made.addEventListener("click", () => action(made));
  return made;
}

for (const table of document.querySelectorAll(".scroll table")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const label = textOf(head);
    if (label) head.replaceChildren(button(label, () => sortBy(table, head, column)));
  });
  const made = button("copy as CSV", () => copy(table, made));
  made.className = "copy";
  table.parentElement.after(made);
}
