/** The attendance of a series: people by occurrences, as a picture, as a table and as rows of a file. */
import type { Matrix } from "../api";
import { h } from "../dom";
import { shortDay } from "../time";
import { label, svg } from "./svg";

const CELL = 58;
const ROW = 28;
const NAMES = 190;
const HEAD = 30;

type Cell = { minutes: number; share: number };

/** A person's cells: minutes, and the share of the held time; null where the occurrence was not held. */
function cells(matrix: Matrix, person: Matrix["participants"][number]): (Cell | null)[] {
  const counted = new Map(person.occurrences.map((each) => [each.occurrence, each]));
  return matrix.occurrences.map((held) => {
    if (!held.start_time) return null;
    const { minutes = 0, duration = 0 } = counted.get(held.occurrence) ?? {};
    const length = (Date.parse(held.end_time ?? new Date().toISOString()) - Date.parse(held.start_time)) / 1000;
    return { minutes, share: length > 0 ? Math.min(1, duration / length) : 0 };
  });
}

/** Draw the matrix. The darker a cell, the longer the person was there; the number in it is their minutes. */
export function drawMatrix(matrix: Matrix, summary: string): SVGElement {
  const width = NAMES + matrix.occurrences.length * CELL + 74;
  const height = HEAD + matrix.participants.length * ROW + 4;
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", class: "picture", "aria-label": summary },
    matrix.occurrences.map((each, index) => svg("text", { class: "dim middle", x: NAMES + (index + 0.5) * CELL, y: HEAD - 10 }, shortDay(each.occurrence))),
    svg("text", { class: "dim end", x: width - 6, y: HEAD - 10 }, "In all"),
    matrix.participants.map((person, row) => {
      const y = HEAD + row * ROW;
      return [
        label(person.name || "Somebody", 2, y + 18, NAMES - 14),
        cells(matrix, person).map((cell, index) => box(cell, NAMES + index * CELL, y)),
        svg("text", { class: "end", x: width - 6, y: y + 18 }, `${Math.round(person.minutes)} min`),
      ];
    }),
  );
}

function box(cell: Cell | null, x: number, y: number): SVGElement[] {
  const present = cell !== null && cell.minutes > 0;
  const text = cell === null ? "–" : String(Math.round(cell.minutes));
  const shade = present ? 0.08 + 0.37 * cell.share : 0; // pale enough to read the number, also in dark colours
  return [
    svg("rect", { class: present ? "cell" : "none", "fill-opacity": shade.toFixed(2), x: x + 2, y: y + 2, width: CELL - 4, height: ROW - 4, rx: 3 }),
    svg("text", { class: "middle", x: x + CELL / 2, y: y + 18 }, text),
  ];
}

export function matrixTable(matrix: Matrix): HTMLElement {
  const head = ["Name", ...matrix.occurrences.map((each) => shortDay(each.occurrence)), "Minutes in all"];
  return h(
    "table",
    {},
    h("caption", {}, "Minutes of each person, by planned day. A dash: it was not held."),
    h("thead", {}, h("tr", {}, head.map((name, index) => h("th", { scope: "col", class: index ? "number" : null }, name)))),
    h(
      "tbody",
      {},
      matrix.participants.map((person) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, person.name || "Somebody", person.guest && h("span", { class: "quiet" }, " (guest)")),
          cells(matrix, person).map((cell) => h("td", { class: "number" }, cell ? cell.minutes.toFixed(1) : "–")),
          h("td", { class: "number" }, person.minutes.toFixed(1)),
        ),
      ),
    ),
  );
}

export function matrixRows(matrix: Matrix): (string | null)[][] {
  return [
    ["Name", "Guest", ...matrix.occurrences.map((each) => each.occurrence), "Minutes"],
    ...matrix.participants.map((person) => [
      person.name,
      person.guest ? "yes" : "no",
      ...cells(matrix, person).map((cell) => (cell ? cell.minutes.toFixed(1) : null)),
      person.minutes.toFixed(1),
    ]),
  ];
}
