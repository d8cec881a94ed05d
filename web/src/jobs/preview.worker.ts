/** Reads a file in a worker, piece by piece, so that the page stays responsive whatever the file's size. */
import { encodingOf, Rows, type Preview } from "./preview";

export interface Read {
  preview: Preview;
  encoding: string;
  done: boolean;
}
interface Beside {
  onmessage: ((event: MessageEvent<File>) => void) | null;
  postMessage(message: Read): void;
}

const page = self as unknown as Beside;
/** The number of bytes between two reports to the page. */
const REPORTED_EVERY = 1024 * 1024;

page.onmessage = ({ data: file }) => {
  void (async () => {
    const known = encodingOf(new Uint8Array(await file.slice(0, 200).arrayBuffer()));
    if (known === "utf-32") return refuse("Save the file as CSV in UTF-8.", known);
    if (known) return read(file, known, false);
    // Without a byte order mark it is UTF-8 if all of it is valid, else what Western spreadsheet programs write.
    await read(file, "utf-8", true).catch(() => read(file, "windows-1252", false));
  })().catch(() => refuse("The file cannot be read any more. Choose it again.", ""));
};

async function read(file: File, encoding: string, fatal: boolean): Promise<void> {
  const rows = new Rows();
  const decoder = new TextDecoder(encoding, { fatal });
  const reader = file.stream().getReader();
  let reported = 0;
  let seen = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const text = decoder.decode(value, { stream: true });
    if (text.includes("\0")) return refuse("The file is not a text file. Save the spreadsheet as CSV in UTF-8.", encoding);
    rows.push(text);
    seen += value.length;
    if (seen - reported >= REPORTED_EVERY) {
      reported = seen;
      page.postMessage({ preview: rows.preview(), encoding, done: false });
    }
  }
  rows.push(decoder.decode());
  page.postMessage({ preview: rows.end(), encoding, done: true });
}

function refuse(problem: string, encoding: string): void {
  page.postMessage({ preview: { format: "csv", separator: ",", columns: [], rows: [], count: 0, problem }, encoding, done: true });
}
