/** Bars by day, drawn with Chart.js. A chart has a summary as its name, and a table with the same data. */
import { BarController, BarElement, CategoryScale, Chart, Legend, LinearScale, Tooltip, type ChartData, type ChartOptions } from "chart.js";
import { h, type Child } from "../dom";

Chart.register(BarController, BarElement, CategoryScale, Legend, LinearScale, Tooltip);

/** Colours by meaning: variables of style.css and console.css, for light and dark. */
export type Colour = "good" | "accent" | "quiet" | "warn" | "bad" | "c1" | "c2" | "c3" | "c4" | "c5";
export interface Series {
  name: string;
  colour: Colour;
  values: number[];
}
interface Bars {
  /** The chart's content as a sentence, for screen readers. */
  label: string;
  rows: string[];
  series: Series[];
  /** Bars are horizontal, for long names. */
  across?: boolean;
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** A chart of stacked bars, with its table. It is drawn anew when the colours of the system change. */
export function bars(content: Bars, signal: AbortSignal): HTMLElement {
  const canvas = h("canvas", { role: "img", "aria-label": content.label });
  const height = content.across ? 3.2 + 1.9 * content.rows.length : 15;
  const place = h("div", { class: "chart" }, canvas);
  place.style.height = `${height}rem`;
  const element = h("div", { class: "charted" }, place, table(content));
  let chart: Chart<"bar"> | null = null;
  const draw = (): void => {
    chart?.destroy();
    chart = new Chart(canvas, { type: "bar", data: data(content, place), options: options(content, place) });
  };
  // A canvas has its size and colours only when it is in the page.
  requestAnimationFrame(() => {
    if (!signal.aborted && element.isConnected) draw();
  });
  dark.addEventListener("change", draw, { signal });
  signal.addEventListener("abort", () => chart?.destroy());
  return element;
}

function data({ rows, series }: Bars, place: HTMLElement): ChartData<"bar"> {
  return {
    labels: rows,
    datasets: series.map(({ name, colour: named, values }) => ({
      label: name,
      data: values,
      backgroundColor: colour(named, place),
      borderColor: colour("card", place),
      borderWidth: 1,
      maxBarThickness: 48,
    })),
  };
}

function options({ across, series }: Bars, place: HTMLElement): ChartOptions<"bar"> {
  const quiet = colour("quiet", place);
  const line = colour("line", place);
  const font = { family: getComputedStyle(document.documentElement).fontFamily, size: 13 };
  const numbers = { stacked: true, beginAtZero: true, border: { display: false }, grid: { color: line }, ticks: { color: quiet, font, precision: 0, maxTicksLimit: 6 } };
  const names = { stacked: true, border: { color: line }, grid: { display: false }, ticks: { color: quiet, font, autoSkip: !across, maxRotation: 0 } };
  return {
    animation: false,
    maintainAspectRatio: false,
    indexAxis: across ? "y" : "x",
    interaction: { mode: "index", intersect: false, axis: across ? "y" : "x" },
    scales: across ? { x: numbers, y: names } : { x: names, y: numbers },
    plugins: {
      legend: { display: series.length > 1, position: "bottom", align: "start", labels: { color: colour("ink", place), font, boxWidth: 14, boxHeight: 14 } },
      tooltip: { bodyFont: font, titleFont: font },
    },
  };
}

/** Returns a variable's computed value. */
function colour(name: Colour | "card" | "line" | "ink", place: HTMLElement): string {
  const probe = h("span", { hidden: true });
  probe.style.color = `var(--${name})`;
  place.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function table({ rows, series, label }: Bars): HTMLElement {
  const head: Child[] = ["", ...series.map((each) => each.name)].map((name, at) => h("th", { scope: "col", class: at ? "number" : null }, name || h("span", { class: "unseen" }, "Row")));
  const body = rows.map((row, at) =>
    h("tr", {}, h("th", { scope: "row" }, row), series.map((each) => h("td", { class: "number" }, count(each.values[at] ?? 0)))),
  );
  return h(
    "details",
    {},
    h("summary", {}, "Show the table"),
    h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, body))),
  );
}

const NUMBER = new Intl.NumberFormat();

export function count(value: number): string {
  return NUMBER.format(value);
}

export function sum(values: number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
