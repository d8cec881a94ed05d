/** The picture of one attendance: people over time above, and below a line for each person. */
import { hour } from "../time";
import { countAt, ticks, type Figures, type Line, type Span } from "./figures";
import { label, svg, type SvgChild } from "./svg";

const CHART = 96;
const LANE = 14;
const GAP = 4;

interface Frame {
  width: number;
  /** The left edge of the time axis. */
  left: number;
  x: (at: number) => number;
}

/** Draw at a width in pixels. A narrow picture has each name above its line. `summary` is its text alternative. */
export function drawTimeline(shown: Figures, width: number, summary: string): SVGElement {
  const narrow = width < 560;
  const left = narrow ? 28 : 190;
  const right = width - 14;
  const frame: Frame = { width, left, x: (at) => left + ((at - shown.from) / (shown.to - shown.from)) * (right - left) };
  const top = 16;
  const rows: SvgChild[] = [];
  let y = top + CHART + 34;
  const begin = y;
  for (const line of shown.lines) {
    const name = line.guest ? `${line.name} (guest)` : line.name;
    rows.push(narrow ? label(name, 2, y + 12, width) : label(name, 2, y + 12, left - 14));
    if (narrow) y += 18;
    rows.push(lineOf(line, frame, y));
    y += Math.max(1, line.devices.length) * (LANE + GAP) + 8;
    rows.push(svg("line", { class: "rule", x1: 0, x2: width, y1: y - 4, y2: y - 4 }));
  }
  const marks = ticks(shown.from, shown.to, Math.max(2, Math.floor((right - left) / 84)));
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${y + 4}`, width, height: y + 4, role: "img", class: "picture", "aria-label": summary },
    marks.map((at) => svg("line", { class: "rule", x1: frame.x(at), x2: frame.x(at), y1: top, y2: y - 4 })),
    marks.map((at) => svg("text", { class: "dim middle", x: within(frame.x(at), 20, width - 22), y: begin - 14 }, hour(new Date(at).toISOString()))),
    people(shown, frame, top),
    rows,
  );
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Draws the number of people over time, as steps. */
function people(shown: Figures, { left, x, width }: Frame, top: number): SvgChild {
  const most = Math.max(1, shown.peak.count);
  const y = (count: number): number => top + CHART - (count / most) * (CHART - 14);
  const line = shown.steps.map(({ at, count }) => `H${x(at).toFixed(1)}V${y(count).toFixed(1)}`).join("");
  const peak = y(shown.peak.count);
  return [
    svg("path", { class: "people", d: `M${left} ${y(0)}${line}H${x(shown.to).toFixed(1)}V${y(0)}Z` }),
    shown.peak.count > 0 && svg("line", { class: "peak", x1: left, x2: width - 14, y1: peak, y2: peak }),
    svg("text", { class: "dim end", x: left - 6, y: y(0) + 4 }, "0"),
    svg("text", { class: "dim end", x: left - 6, y: peak + 4 }, String(shown.peak.count)),
    left > 100 && svg("text", { x: 2, y: top + CHART / 2 + 4 }, "People there"),
  ];
}

function lineOf(line: Line, frame: Frame, y: number): SvgChild {
  return [
    line.waiting.map((each) => bar(each, frame, y + 3, LANE - 6, "wait", `${line.name}: waiting room`)),
    line.devices.map((lane, index) =>
      lane.map((each) => bar(each, frame, y + index * (LANE + GAP), LANE, index ? "device" : "stay", index ? `${line.name}, another device` : line.name)),
    ),
    line.leaves.map((at) =>
      svg("line", { class: "cut", x1: frame.x(at), x2: frame.x(at), y1: y, y2: y + LANE }, svg("title", {}, `${line.name} left ${time(at)}; when they came was not seen`)),
    ),
  ];
}

function bar(span: Span, { x }: Frame, y: number, height: number, kind: string, name: string): SvgChild {
  const until = span.open ? "still there" : `${time(span.to)}${span.assumed ? ", assumed" : ""}`;
  const start = x(span.from);
  const end = Math.max(start + 2, x(span.to));
  return [
    svg("rect", { class: kind, x: start.toFixed(1), y, width: (end - start).toFixed(1), height, rx: 2 }, svg("title", {}, `${name}: ${time(span.from)} – ${until}`)),
    span.assumed && svg("line", { class: "cut", x1: end, x2: end, y1: y, y2: y + height }),
  ];
}

export function time(at: number): string {
  return hour(new Date(at).toISOString());
}

/** Returns how many people were present at the labelled times of a picture of the usual width. */
export function countsOverTime(shown: Figures): [string, number][] {
  return ticks(shown.from, shown.to, 12).map((at) => [time(at), countAt(shown, at)]);
}
