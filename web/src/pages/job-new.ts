/** A new job: the operation, a file of rows, and the member for each column. A worker reads the file. */
import "../jobs/jobs.css";
import type { Page } from "../app";
import { guessed, needsLocale, twice } from "../jobs/columns";
import { BACKFILL, KNOWN, SYNC, count, type Operation } from "../jobs/model";
import { LARGEST_FILE, type Preview } from "../jobs/preview";
import type { Read } from "../jobs/preview.worker";
import { startJob, type Asked } from "../jobs/start";
import { announce, h, replace, type Child } from "../dom";
import { bytes } from "../files";
import { busy, confirmed, failure, heading, isSessionEnd, link, notice, section } from "../ui";

const OTHER = "other";
/** The locales of dates in spreadsheets. */
const LOCALES = { "": "2030-01-31T09:30 only", "de-DE": "31.01.2030 (German)", "en-GB": "31/01/2030 (British)", "en-US": "1/31/2030 (American)", "fr-FR": "31/01/2030 (French)", "es-ES": "31/1/2030 (Spanish)", "sv-SE": "2030-01-31 (Swedish)", "ja-JP": "2030/01/31 (Japanese)" };
const SEPARATORS: Record<string, string> = { ",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars" };
const ENCODINGS: Record<string, string> = { "utf-8": "UTF-8", "windows-1252": "CP1252", "utf-16le": "UTF-16", "utf-16be": "UTF-16" };

export const newJob: Page = ({ app, view, signal }) => {
  let file: File | null = null;
  let read: Read | null = null;
  let worker: Worker | null = null;
  /** A repetition of the same request after a failure is the same job. */
  let last: Asked | null = null;
  const trouble = h("div");
  const operation = h(
    "select",
    { id: "operation", name: "operation", onchange: chosen },
    KNOWN.map((each) => h("option", { value: each.name }, each.title)),
    h("option", { value: BACKFILL }, "Fetch the past from Zoom"),
    h("option", { value: OTHER }, "Another operation …"),
  );
  const options = h("div");
  const input = h("input", { id: "file", type: "file", accept: ".csv,.tsv,.txt,.jsonl,.ndjson,text/csv", onchange: () => take(input.files?.[0]) });
  const drop = h("label", { class: "drop", for: "file" }, h("span", { class: "strong" }, "Drop a file here, or choose one"), h("span", { class: "quiet two" }, "CSV or JSON lines, up to 100,000 rows and 32 MB"), input);
  const known = h("div", { role: "status" });
  const mapping = h("div");
  const source = section("The file", "source", drop, known);
  const columns = section("What the columns become", "columns", mapping);
  const check = h("button", { type: "submit", class: "primary", value: "check" }, "Check the rows first");
  const run = h("button", { type: "submit", value: "run" }, "Run it now");
  const form = h(
    "form",
    { class: "list", onsubmit: submit },
    section("What to do", "what", h("div", { class: "field" }, h("label", { for: "operation" }, "For every row"), operation), options),
    source,
    columns,
    trouble,
    h("div", { class: "actions" }, check, run, link("jobs", "Back to the jobs")),
  );
  replace(view, heading("New job"), form);
  for (const name of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault(); // the browser would open the file
      drop.classList.toggle("over", name === "dragover");
      const dropped = name === "drop" ? (event as DragEvent).dataTransfer?.files : undefined;
      if (!dropped?.length) return;
      input.files = dropped;
      take(dropped[0]);
    });
  }
  signal.addEventListener("abort", () => worker?.terminate());
  chosen();

  function current(): Operation {
    return KNOWN.find((each) => each.name === operation.value) ?? { name: operation.value, title: "", members: [] };
  }

  function chosen(): void {
    const planned = operation.value === BACKFILL;
    replace(options, OPTIONS[operation.value]?.() ?? null);
    source.hidden = planned;
    check.hidden = planned; // it only reads
    showColumns();
  }

  function take(next: File | undefined): void {
    if (!next) return;
    worker?.terminate();
    [file, read] = [next, null];
    replace(trouble);
    showColumns();
    if (next.size > LARGEST_FILE) return replace(known, notice("bad", `The file has more than ${LARGEST_FILE / 1024 / 1024} MB. Split it into several jobs.`));
    replace(known, h("p", { class: "quiet" }, `Reading ${next.name} …`));
    worker = new Worker(new URL("../jobs/preview.worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Read>) => {
      const first = !read?.preview.columns.length && data.preview.columns.length > 0;
      read = data;
      replace(known, describe(next, data));
      if (first || data.preview.problem) showColumns();
      if (data.done) worker?.terminate();
    };
    worker.onerror = () => replace(known, notice("bad", "The file cannot be read. Choose it again."));
    worker.postMessage(next);
  }

  function showColumns(): void {
    const preview = read?.preview;
    columns.hidden = operation.value === BACKFILL || !preview || preview.columns.length === 0 || preview.problem !== null;
    if (preview && !columns.hidden) replace(mapping, columnsOf(preview, current()));
  }

  function submit(event: SubmitEvent): void {
    event.preventDefault();
    const dry = (event.submitter as HTMLButtonElement | null)?.value === "check" && operation.value !== BACKFILL;
    const asked = request(dry);
    if (typeof asked === "string") {
      replace(trouble, notice("bad", asked));
      return;
    }
    replace(trouble);
    void (async () => {
      const rows = count(read?.preview.count ?? 0);
      const members = asked.body.remove === true;
      if (!dry && (current().destroys || members) && !(await confirmed(members ? "Cancel people who are not in the file?" : `${current().title}?`, members ? "Everybody who is registered and not among the rows is cancelled." : `The file names ${rows}. This cannot be taken back.`, "Run it", { keep: "Do not run it" }))) return;
      // A request whose answer was lost does not make a second job.
      if (last && last.file === asked.file && JSON.stringify(last.body) === JSON.stringify(asked.body)) asked.key = last.key;
      last = asked;
      const said = h("p", { role: "status" }, "Making the job …");
      replace(trouble, said);
      await busy(dry ? check : run, "Starting …", async () => {
        const made = await startJob(app.api, asked, (share) => (said.textContent = `Sending the file: ${Math.round(share * 100)} %`));
        announce("The job is made");
        app.go(`jobs/${made.id}`);
      });
    })().catch((error: unknown) => {
      if (!signal.aborted && !isSessionEnd(error)) replace(trouble, failure(error));
    });
  }

  /** Returns the request to the gateway, or what is missing in it. */
  function request(dry: boolean): Asked | string {
    const data = new FormData(form);
    const text = (name: string): string => String(data.get(name) ?? "").trim();
    const name = operation.value === OTHER ? text("name") : operation.value;
    if (!name) return "Name the operation.";
    const body: Record<string, unknown> = { operation: name, ...(dry && { dry_run: true }) };
    const key = crypto.randomUUID();
    if (name === BACKFILL) {
      if (!text("from") || !text("to")) return "Say from when until when.";
      const users = text("users").split(/[\s,;]+/).filter(Boolean);
      return { body: { ...body, from: text("from"), to: text("to"), ...(users.length > 0 && { users }), ...(data.has("deactivated") && { deactivated: true }) }, file: null, key };
    }
    if (!file || !read) return "Choose a file.";
    if (read.preview.problem) return read.preview.problem;
    if (name === SYNC) {
      if (!/^[\d\s-]+$/.test(text("number"))) return "Say which meeting or webinar, by its number.";
      Object.assign(body, { [text("kind")]: text("number").replace(/\D/g, ""), remove: data.has("remove"), auto_approve: data.has("auto_approve") });
    }
    const members = data.getAll("member").map((each) => String(each).trim());
    const double = twice(members);
    if (double) return `Two columns become ${double}. Leave one of them out.`;
    if (!members.some(Boolean)) return "Say of at least one column what it becomes.";
    const chosen = read.preview.columns.flatMap((column, index): [string, string][] => (members[index] ? [[column, members[index]]] : []));
    const defaults = Object.fromEntries(data.getAll("default").flatMap((each, index): [string, string][] => (each && data.getAll("value")[index] ? [[String(each).trim(), String(data.getAll("value")[index])]] : [])));
    body.mapping = { columns: Object.fromEntries(chosen), ...(Object.keys(defaults).length > 0 && { defaults }), ...(text("locale") && { locale: text("locale") }) };
    if (data.has("keep")) body.duplicates = "keep";
    return { body, file, key };
  }
};

/** Options that some operations have besides their rows. */
const OPTIONS: Record<string, () => Child> = {
  [OTHER]: () => field("name", "Its name", { required: true, placeholder: "meetings.registrants.status", autocomplete: "off", spellcheck: "false" }, "As in the list of operations of the API."),
  [BACKFILL]: () => [
    h("p", { class: "quiet" }, "What Zoom reports of a span of time becomes the events that are missing: meetings, attendance and recordings. What is known already stays as it is."),
    h("div", { class: "pair" }, field("from", "From", { type: "date", required: true }), field("to", "Until", { type: "date", required: true })),
    field("users", "Only these people", { autocomplete: "off", placeholder: "ada@example.com, grace@example.com" }, "Empty means everybody whom the connection reaches."),
    tick("deactivated", "Deactivated people, too"),
  ],
  [SYNC]: () => [
    h("div", { class: "pair" }, h("div", { class: "field" }, h("label", { for: "kind" }, "Of a"), h("select", { id: "kind", name: "kind" }, h("option", { value: "meeting" }, "Meeting"), h("option", { value: "webinar" }, "Webinar"))), field("number", "Its number", { required: true, inputmode: "numeric", autocomplete: "off" })),
    tick("remove", "Cancel people who are not in the file"),
    tick("auto_approve", "Approve at once"),
  ],
};

function field(name: string, label: string, more: Record<string, unknown>, hint = ""): HTMLElement {
  return h("div", { class: "field" }, h("label", { for: name }, label), h("input", { id: name, name, "aria-describedby": hint ? `${name}-hint` : null, ...more }), hint && h("p", { class: "quiet", id: `${name}-hint` }, hint));
}

function tick(name: string, label: string): HTMLElement {
  return h("label", { class: "check" }, h("input", { type: "checkbox", name }), label);
}

function describe(file: File, { preview, encoding, done }: Read): Child {
  if (preview.problem) return notice("bad", preview.problem);
  const how = preview.format === "jsonl" ? "JSON lines" : `${ENCODINGS[encoding] ?? encoding}, separated by ${SEPARATORS[preview.separator] ?? preview.separator}`;
  return h("p", {}, h("span", { class: "strong" }, file.name), ` (${bytes(file.size)}): `, done ? count(preview.count) : `${count(preview.count)} so far …`, `, ${preview.columns.length} columns, ${how}.`);
}

/** Returns the entry of LOCALES for a browser's language; "" where several fit, such as for English without a country. */
function localeOf(language: string): string {
  const known = Object.keys(LOCALES).filter((each) => each.startsWith(language.slice(0, 2)));
  return known.find((each) => each === language) ?? (known.length === 1 ? (known[0] as string) : "");
}

function columnsOf(preview: Preview, { members }: Operation): Child {
  const likely = guessed(preview.columns, members);
  const cells = (index: number): string[] => preview.rows.map((row) => row[index] ?? "").filter(Boolean);
  const dates = preview.columns.some((_, index) => needsLocale(cells(index)));
  const language = localeOf(navigator.language);
  const hint = h("p", { class: "quiet" }, dates ? `The file has dates that are read by their language. Chosen is ${language ? "yours" : "none"}: check it.` : "Dates are never guessed.");
  return [
    h("p", { class: "quiet" }, "Columns that become nothing are left out."),
    h("datalist", { id: "members" }, members.map((each) => h("option", { value: each }))),
    h(
      "div",
      { class: "maps" },
      preview.columns.map((column, index) =>
        h(
          "div",
          { class: "map" },
          h("div", { class: "two" }, h("span", { class: "strong" }, column), h("span", { class: "quiet cells" }, cells(index).slice(0, 3).join(" · ") || "empty at first")),
          h("input", { name: "member", list: "members", value: likely[index] ?? "", "aria-label": `“${column}” becomes`, placeholder: "left out", autocomplete: "off", spellcheck: "false" }),
        ),
      ),
    ),
    h("div", { class: "field" }, h("label", { for: "locale" }, "Dates are written"), h("select", { id: "locale", name: "locale" }, Object.entries(LOCALES).map(([each, text]) => h("option", { value: each, selected: dates && each === language }, text))), hint),
    h(
      "fieldset",
      {},
      h("legend", {}, "The same for every row"),
      [1, 2].map((each) =>
        h(
          "div",
          { class: "pair" },
          h("div", { class: "field" }, h("label", { for: `default-${each}` }, `Member ${each}`), h("input", { id: `default-${each}`, name: "default", list: "members", autocomplete: "off", spellcheck: "false" })),
          h("div", { class: "field" }, h("label", { for: `value-${each}` }, `Value ${each}`), h("input", { id: `value-${each}`, name: "value", autocomplete: "off" })),
        ),
      ),
    ),
    tick("keep", "Rows that repeat an earlier one are meant"),
  ];
}
