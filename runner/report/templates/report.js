// What scripts add to the page: tables sort by a click or the Enter key on a column's name, buttons copy tables as CSV
// and commands, and arrow keys walk through the bars of the strip of time. Without scripts the page has the same contents.
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

async function copy(text, button) {
  try {
    await navigator.clipboard.writeText(text);
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

function copyButton(label, text) {
  const made = button(label, () => copy(text(), made));
  made.className = "copy";
  return made;
}

for (const table of document.querySelectorAll(".scroll table")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const label = textOf(head);
    if (label) head.replaceChildren(button(label, () => sortBy(table, head, column)));
  });
  table.parentElement.after(copyButton("copy as CSV", () => csvOf(table)));
}

for (const command of document.querySelectorAll("pre")) {
  command.after(copyButton("copy the command", () => textOf(command)));
}

const startOf = (bar) => parseFloat(bar.getAttribute("x"));

// Arrow keys walk through the marks of a lane of the strip of time. What a mark is stands below the strip.
for (const strip of document.querySelectorAll(".strip")) {
  const told = document.createElement("output");
  told.textContent = "Point at a bar, or choose a row and walk through its bars with the arrow keys.";
  strip.append(told);
  for (const lane of strip.querySelectorAll(".lane:not(.axis)")) {
    const bars = [...lane.querySelectorAll("rect")].sort((one, other) => startOf(one) - startOf(other));
    let at = -1;
    const show = (index) => {
      bars[at]?.classList.remove("chosen");
      at = Math.min(Math.max(index, 0), bars.length - 1);
      bars[at].classList.add("chosen");
      told.textContent = textOf(bars[at]);
    };
    lane.tabIndex = 0;
    lane.setAttribute("role", "group");
    lane.setAttribute("aria-label", `${textOf(lane.firstElementChild)}: ${bars.length} bursts, arrow keys`);
    lane.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (steps === undefined) return;
      event.preventDefault();
      show(at + steps);
    });
    bars.forEach((bar, index) => bar.addEventListener("pointerenter", () => show(index)));
  }
}
