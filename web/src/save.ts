/** Files that a person saves from a page. */

/** Save `text` as a file. A CSV file begins with a byte order mark, so that spreadsheets read it as UTF-8. */
export function saveFile(name: string, type: string, text: string): void {
  saveBlob(name, new Blob(type === "text/csv" ? ["\ufeff", text] : [text], { type }));
}

export function saveBlob(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

/** Characters that spreadsheet programs read as the beginning of a formula; zoom_common/spreadsheets.py has the same list. */
const FORMULA = /^ *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** RFC 4180. A name that begins like a formula stays text in a spreadsheet, because people choose their names themselves. */
export function csv(rows: (string | null)[][]): string {
  const cell = (value: string | null): string => {
    const text = FORMULA.test(value ?? "") ? `'${value}` : (value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
