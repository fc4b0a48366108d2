// Tables whose columns sort, both those of the page and those made on demand.
"use strict";

Report.MINUS = /\u2212/g;

/** What a cell is sorted by: its own value, a number in it, or its text. */
Report.sortKey = (cell) => {
  const text = (cell.dataset.value ?? cell.textContent).trim();
  const plain = text.replace(Report.MINUS, "-").replace(/,/g, "");
  const found = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*%?$/i.test(plain);
  return found ? parseFloat(plain) : text;
};

/** Sort the rows by a column; numbers before texts, what is blank last. */
Report.sortBy = (table, column, falling) => {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [Report.sortKey(row.cells[column]), row]);
  const rank = (key) => (key === "" || key === "\u2013" ? 2 : typeof key === "number" ? 0 : 1);
  rows.sort(([a], [b]) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
    return falling ? -order : order;
  });
  body.append(...rows.map(([, row]) => row));
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const way = falling ? "descending" : "ascending";
    if (head.hasAttribute("aria-sort")) head.setAttribute("aria-sort", place === column ? way : "none");
  });
};

/** Let a click on the head of a column, or Enter, sort by it; a second one turns the order. */
Report.makeSortable = (table) => {
  if (!table.tHead || !table.tBodies.length || table.tBodies[0].rows.length < 2) return;
  if (!table.tHead.rows[0].cells[0].textContent) return; // a list of numbers by name
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (!head.textContent) return; // buttons and the like have no order
    head.setAttribute("aria-sort", "none");
    head.tabIndex = 0;
    const sort = () => {
      const isNumber = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      Report.sortBy(table, column, before === "none" ? isNumber : before === "ascending");
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        sort();
      }
    });
  });
};

/**
 * A table. Columns are {title, number}; cells are text, an element, or {text, value} where it is
 * sorted by another number than is shown.
 */
Report.table = (columns, rows, attributes = {}) => {
  const kind = (column) => (column.number ? { class: "number" } : {});
  const heads = columns.map((column) => Report.element("th", kind(column), column.title));
  const body = rows.map((row) =>
    Report.element(
      "tr",
      {},
      ...row.map((cell, place) => {
        const isPair = cell && typeof cell === "object" && "text" in cell && "value" in cell;
        const made = Report.element("td", kind(columns[place]), isPair ? cell.text : cell);
        if (isPair) made.dataset.value = Number.isNaN(cell.value) ? "" : cell.value;
        return made;
      }),
    ),
  );
  const table = Report.element(
    "table",
    attributes,
    Report.element("thead", {}, Report.element("tr", {}, ...heads)),
    Report.element("tbody", {}, ...body),
  );
  Report.makeSortable(table);
  return table;
};
