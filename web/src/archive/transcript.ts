/** The transcript next to the player: a click plays from that line, and the current line is marked. */
import { currentTurn, elapsed, partOf, pieces, type Part, type Transcripts, type Turn } from "./model";
import { h, replace } from "../dom";

interface Lines {
  part: number;
  turns: Turn[];
  rows: HTMLElement[];
}

export interface TranscriptPanel {
  element: HTMLElement;
  /** Marks the line at a time of a part, in milliseconds. */
  mark(part: number, milliseconds: number): void;
}

export function transcript(found: Transcripts, parts: readonly Part[], seek: (part: number, milliseconds: number) => void): TranscriptPanel {
  const follow = h("input", { type: "checkbox", checked: true });
  const count = h("p", { class: "quiet", role: "status" });
  const search = h("input", { id: "find", type: "search", autocomplete: "off" });
  const all = found.transcripts.map(({ begins, turns }): Lines => {
    const part = partOf(parts, begins);
    return { part, turns, rows: turns.map((turn) => line(turn, "", () => seek(part, turn.start))) };
  });
  const list = h(
    "div",
    { class: "transcript", tabindex: "0", role: "region", "aria-label": "What was said" },
    all.map(({ rows }, index) => [all.length > 1 && h("h3", {}, `Part ${index + 1}`), h("ol", { class: "plain" }, rows)]),
  );
  let current: HTMLElement | null = null;

  function find(): void {
    const wanted = search.value.trim();
    let hits = 0;
    for (const { turns, rows } of all) {
      turns.forEach((turn, index) => {
        const row = rows[index] as HTMLElement;
        const hit = pieces(turn.speaker, wanted).length > 1 || pieces(turn.text, wanted).length > 1;
        row.hidden = wanted !== "" && !hit;
        if (hit) hits += 1;
        if (hit || row.querySelector("mark")) fill(row, turn, wanted);
      });
    }
    count.textContent = wanted ? (hits === 1 ? "1 line has it." : `${hits} lines have it.`) : "";
    if (!wanted && current) show(current);
  }

  function show(row: HTMLElement): void {
    list.scrollTop = row.offsetTop - list.clientHeight / 3;
  }

  search.addEventListener("input", find);
  // A person who scrolls reads at that place, so do not scroll back.
  for (const name of ["wheel", "touchmove"]) list.addEventListener(name, () => (follow.checked = false), { passive: true });
  follow.addEventListener("change", () => follow.checked && current && show(current));

  return {
    element: h(
      "div",
      {},
      h("div", {}, h("label", { for: "find" }, "Search in what was said"), search),
      count,
      h("label", { class: "check" }, follow, "Follow the player"),
      list,
    ),
    mark(part, milliseconds) {
      const lines = all.find((each) => each.part === part && each.turns.length > 0);
      const row = lines?.rows[currentTurn(lines.turns, milliseconds)] ?? null;
      if (row === current) return;
      current?.removeAttribute("aria-current");
      row?.setAttribute("aria-current", "true");
      current = row;
      if (row && follow.checked && !row.hidden) show(row);
    },
  };
}

function line(turn: Turn, wanted: string, go: () => void): HTMLElement {
  const row = h("li", { class: "turn", onclick: go });
  fill(row, turn, wanted);
  return row;
}

/** The time is a button for the keyboard; its click bubbles to the line. */
function fill(row: HTMLElement, turn: Turn, wanted: string): void {
  const marked = (text: string): (string | HTMLElement)[] => pieces(text, wanted).map((piece, index) => (index % 2 ? h("mark", {}, piece) : piece));
  const time = elapsed(turn.start);
  replace(
    row,
    h("button", { type: "button", class: "link", "aria-label": `Play from ${time}` }, time),
    turn.speaker && h("span", { class: "strong" }, " ", marked(turn.speaker)),
    h("p", {}, marked(turn.text)),
  );
}
