/** What needs no browser in the pages of the archive, of jobs and of subscriptions: files, columns, turns, and what forms ask for. */
import { expect, test } from "@playwright/test";
import { currentTurn, elapsed, partOf, partsOf, pieces, type ArchivedFile } from "../src/archive/model";
import { bytes } from "../src/files";
import { guessed, needsLocale, twice } from "../src/jobs/columns";
import { forecastOf, type Job } from "../src/jobs/model";
import { encodingOf, Rows, type Preview } from "../src/jobs/preview";
import { asked, healthOf, listed, outcome, type Subscription } from "../src/subscriptions/model";

/** Reads a text that comes in pieces of `size` characters. */
function rows(text: string, size = 7): Preview {
  const found = new Rows();
  for (let at = 0; at < text.length; at += size) found.push(text.slice(at, at + size));
  return found.end();
}

function form(entries: Record<string, string | string[]>): FormData {
  const data = new FormData();
  for (const [name, values] of Object.entries(entries)) for (const value of [values].flat()) data.append(name, value);
  return data;
}

test("turns, parts, times and sizes are found as they are", () => {
  const turns = [2_000, 12_000, 20_000, 28_000].map((start) => ({ start, end: start + 5_000, speaker: "Jill", text: "Hello" }));
  const file = (id: string, kind: string, more: object = {}): ArchivedFile => ({ id, kind, recording_type: "", url: null, begins: "2026-09-21T14:00:00Z", ...more }) as ArchivedFile;
  expect([0, 2_000, 11_999, 12_000, 99_000].map((at) => currentTurn(turns, at))).toEqual([-1, 0, 0, 1, 3]);
  expect([0, 61_000, 3_723_999].map(elapsed)).toEqual(["0:00", "1:01", "1:02:03"]);
  expect([0, 999, 1_000, 1_532_000_000, 20_000_000_000].map(bytes)).toEqual(["0 bytes", "999 bytes", "1.0 kB", "1.5 GB", "20.0 GB"]);
  const later = "2026-09-21T14:40:00Z";
  const parts = partsOf([file("s", "audio", { url: "u" }), file("v", "video", { url: "u" }), file("w", "video", { url: "u", begins: later }), file("x", "video")]);
  expect(parts.map(({ media }) => media.map(({ id }) => id))).toEqual([["v", "s"], ["w"]]);
  expect(["2026-09-21T13:00:00Z", "2026-09-21T14:00:01Z", later, "2026-09-21T15:00:00Z"].map((begins) => partOf(parts, begins))).toEqual([0, 0, 1, 1]);
  expect(pieces("Ships a ship (x)", "ship")).toEqual(["", "Ship", "s a ", "ship", " (x)"]);
  expect(pieces("a (x)", "(X")).toEqual(["a ", "(x", ")"]);
});

test("a file is read as the gateway reads it, in whatever pieces it comes", () => {
  for (const size of [1, 3, 1000]) {
    expect(rows("\ufeffTopic;Start\r\n\"a;\"\"b\"\"\nc\";1\r\n\r\n;;\r\nd;2", size)).toMatchObject({ separator: ";", columns: ["Topic", "Start"], rows: [['a;"b"\nc', "1"], ["d", "2"]], count: 2, problem: null });
    expect(rows("sep=|\r\nA|B\r\n1|2\r\n", size)).toMatchObject({ separator: "|", columns: ["A", "B"], count: 1 });
    expect(rows('{"topic": "x", "n": 1}\n\n{"topic": "y", "z": [2]}\n', size)).toMatchObject({ format: "jsonl", columns: ["topic", "n", "z"], rows: [["x", "1", ""], ["y", "", "[2]"]], count: 2 });
  }
  expect(rows("").problem).toContain("empty");
  expect(rows("A,B\r\n").problem).toContain("no rows");
  expect(rows("A,A\r\n1,2").problem).toContain("Two columns are called “A”");
  expect(rows("A,,C\r\n1,2,3").problem).toContain("Column 2 has no name");
  expect([[0xff, 0xfe, 0x41, 0], [0xef, 0xbb, 0xbf], [0x41, 0, 0x42, 0, 0x43, 0], [0x41, 0x42]].map((head) => encodingOf(Uint8Array.from(head)))).toEqual(["utf-16le", "utf-8", "utf-16le", null]);
});

test("columns find their members by what people call them", () => {
  const job = (forecast: object): Job => ({ state: "running", forecast }) as Job;
  const members = ["topic", "start_time", "duration", "userId", "settings.waiting_room"];
  expect(guessed(["Thema", "Beginn", "E-Mail", "Host e-mail", "waiting_room"], members)).toEqual(["topic", "start_time", "", "userId", "settings.waiting_room"]);
  expect(guessed(["Name", "topic"], members)).toEqual(["", "topic"]); // what is called so goes first
  expect([twice(["a", "", ""]), twice(["a", "b", "a"])]).toEqual([null, "a"]);
  expect([needsLocale(["2030-01-31"]), needsLocale(["x", "31.1.2030 9:00"])]).toEqual([false, true]);
  expect(forecastOf(job({ done_at: "2026-09-21T14:18:00Z", limited_by: "pace" }), Date.parse("2026-09-21T14:10:00Z"))).toContain("in 8 minutes");
  expect(forecastOf(job({ done_at: null, limited_by: "by_request" }))).toBe("It is done some time after it is resumed.");
});

test("a form asks for what was chosen, and a change for what is other than before", () => {
  const recent = { deliveries: 100, delivered: 97, retrying: 2, failed: 1, median_ms: 84, last_delivered_at: null };
  const health = { failures: 0, failing_since: null, retry_at: null, slow: false, recent };
  const typed = { target: "url", address: " https://a.example/x ", family: ["meeting.*"], types: "recording.completed,meeting.*", meeting: "851 2345 6789, 852", host: "", kind: "meeting", payload: "full", rate: "5" };
  expect(asked(form(typed), null)).toEqual({ url: "https://a.example/x", types: ["meeting.*", "recording.completed"], filters: { meeting: ["85123456789", "852"], kind: "meeting" }, payload: "full", rate: 5, ordered: false });
  expect(asked(form({ target: "queue", address: "https://sqs", family: ["*"], payload: "thin", ordered: "on" }), null)).toEqual({ queue: "https://sqs", types: ["*"], payload: "thin", ordered: true });
  const known = { url: "https://a.example", types: ["meeting.*"], filters: { meeting: [], host: [], connection: [] }, payload: "full", rate: null, ordered: false, description: null } as unknown as Subscription;
  const same = { target: "url", address: known.url as string, family: ["meeting.*"], payload: "full", rate: "" };
  expect(asked(form(same), known)).toEqual({});
  expect(asked(form({ ...same, rate: "9", host: "h1" }), known)).toEqual({ rate: 9, filters: { host: ["h1"] } });
  expect(listed("a, b\nb;c ")).toEqual(["a", "b", "c"]);
  expect([outcome({ status: 500, error: null }), outcome({ status: null, error: "timeout" })]).toEqual(["Status 500", "No answer in time"]);
  expect(healthOf(health)).toBe("Of the last 100 deliveries 97 arrived, 2 are tried again, 1 failed. Half of them took 84 ms or less.");
});
