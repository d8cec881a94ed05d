/** Reads the beginning of a file of rows, and counts the rows, piece by piece. The gateway reads the file itself, by the same rules. */

export interface Preview {
  format: "csv" | "jsonl";
  separator: string;
  columns: string[];
  /** The first rows, a cell for each column. */
  rows: string[][];
  count: number;
  /** Why the gateway would refuse the file; null where no reason is known. */
  problem: string | null;
}

export const LARGEST_FILE = 32 * 1024 * 1024;
export const MOST_ROWS = 100_000;
const SHOWN = 5;
const SEPARATORS = ",;\t|";
const LONGEST_HEADING = 256 * 1024;

/** Reads a text piece by piece. */
export class Rows {
  #begun = false;
  #head = "";
  #separator = ",";
  #jsonl = false;
  #names: string[] | null = null;
  #rows: string[][] = [];
  #objects: Record<string, unknown>[] = [];
  #count = 0;
  #cell = "";
  #cells: string[] = [];
  #quoted = false;
  #wasQuote = false;
  #problem: string | null = null;

  push(text: string): void {
    if (this.#begun) return this.#take(text);
    this.#head += text;
    if (hasHeading(this.#head) || this.#head.length > LONGEST_HEADING) this.#begin();
  }

  end(): Preview {
    if (!this.#begun) this.#begin();
    if (this.#jsonl) this.#line();
    else if (this.#cell || this.#cells.length > 0) this.#row();
    if (!this.#problem && !this.#jsonl && !this.#names) this.#problem = "The file is empty. Its first row has to name the columns.";
    if (!this.#problem && this.#count === 0) this.#problem = "The file has no rows below its first one.";
    if (!this.#problem && this.#count > MOST_ROWS) this.#problem = `A job has at most ${MOST_ROWS.toLocaleString()} rows. Split the file.`;
    return this.preview();
  }

  preview(): Preview {
    const about = { count: this.#count, problem: this.#problem, separator: this.#separator };
    if (!this.#jsonl) return { ...about, format: "csv", columns: this.#names ?? [], rows: this.#rows };
    const columns = [...new Set(this.#objects.flatMap((each) => Object.keys(each)))];
    const cell = (value: unknown): string => (value === undefined || value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));
    return { ...about, format: "jsonl", columns, rows: this.#objects.map((each) => columns.map((name) => cell(each[name]))) };
  }

  #begin(): void {
    this.#begun = true;
    let text = this.#head.replace(/^\ufeff/, "");
    this.#head = "";
    this.#jsonl = text.trimStart().startsWith("{");
    const named = /^sep=(.)\r?\n/i.exec(text);
    if (named) {
      this.#separator = named[1] as string;
      text = text.slice(named[0].length);
    } else if (!this.#jsonl) this.#separator = likeliest(text);
    this.#take(text);
  }

  #take(text: string): void {
    if (this.#jsonl) {
      const lines = text.split("\n");
      lines.forEach((line, index) => {
        this.#cell += line;
        if (index < lines.length - 1) this.#line();
      });
      return;
    }
    for (const character of text) this.#character(character);
  }

  #character(character: string): void {
    if (this.#quoted) {
      if (character === '"') [this.#quoted, this.#wasQuote] = [false, true];
      else this.#cell += character;
      return;
    }
    if (character === '"' && (this.#wasQuote || this.#cell === "")) {
      if (this.#wasQuote) this.#cell += '"';
      this.#quoted = true;
    } else if (character === this.#separator) {
      this.#cells.push(this.#cell);
      this.#cell = "";
    } else if (character === "\n" || character === "\r") {
      if (this.#cell || this.#cells.length > 0) this.#row();
    } else this.#cell += character;
    this.#wasQuote = false;
  }

  #row(): void {
    const cells = [...this.#cells, this.#cell].map((cell) => cell.trim());
    [this.#cells, this.#cell] = [[], ""];
    if (!cells.some(Boolean)) return;
    if (!this.#names) {
      while (cells.at(-1) === "") cells.pop();
      this.#names = cells;
      const double = cells.find((name, index) => cells.indexOf(name) !== index);
      if (cells.includes("")) this.#problem = `Column ${cells.indexOf("") + 1} has no name. Name every column in the first row.`;
      else if (double !== undefined) this.#problem = `Two columns are called “${double}”. Rename one.`;
      return;
    }
    this.#count += 1;
    if (this.#rows.length < SHOWN) this.#rows.push(this.#names.map((_, index) => cells[index] ?? ""));
  }

  #line(): void {
    const line = this.#cell.trim();
    this.#cell = "";
    if (!line) return;
    this.#count += 1;
    if (this.#objects.length >= SHOWN) return;
    try {
      const found = JSON.parse(line) as unknown;
      if (found && typeof found === "object" && !Array.isArray(found)) this.#objects.push(found as Record<string, unknown>);
    } catch {
      // the gateway refuses only this row, with the reason in the results
    }
  }
}

/** Returns whether the first row that is not empty is complete. */
function hasHeading(text: string): boolean {
  return heading(text) !== null;
}

/** Returns the first row that is not empty, without quoted text; null until it is complete. */
function heading(text: string): string | null {
  let quoted = false;
  let found = "";
  for (const character of text) {
    if (character === '"') quoted = !quoted;
    else if (/[\r\n]/.test(character) && !quoted) {
      if (found.trim() && !/^\ufeff?sep=.$/i.test(found.trim())) return found;
      found = "";
    } else if (!quoted) found += character;
  }
  return null;
}

function likeliest(text: string): string {
  const first = heading(`${text}\n`) ?? "";
  return [...SEPARATORS].reduce((best, each) => (first.split(each).length > first.split(best).length ? each : best));
}

/** Returns the encoding of a file by its first bytes; null where the whole file is needed (UTF-8, else CP1252). */
export function encodingOf(head: Uint8Array): "utf-8" | "utf-16le" | "utf-16be" | "utf-32" | null {
  const [a, b, c, d] = head;
  if (a === 0xff && b === 0xfe && c === 0 && d === 0) return "utf-32";
  if (a === 0 && b === 0 && c === 0xfe && d === 0xff) return "utf-32";
  if (a === 0xff && b === 0xfe) return "utf-16le";
  if (a === 0xfe && b === 0xff) return "utf-16be";
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8";
  for (const [start, name] of [[1, "utf-16le"], [0, "utf-16be"]] as const) {
    const half = [...head.slice(0, 200)].filter((_, index) => index % 2 === start);
    if (half.length > 1 && half.filter((each) => each === 0).length > half.length * 0.7) return name;
  }
  return null;
}
