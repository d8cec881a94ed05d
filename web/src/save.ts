/** Files that a person saves from a page. */

/** Save `text` as a file. A CSV file begins with a byte order mark, so that spreadsheets read it as UTF-8. */
export function saveFile(name: string, type: string, text: string): void {
  const parts = type === "text/csv" ? ["\ufeff", text] : [text];
  const address = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

/** RFC 4180. A name that begins like a formula is text, also for a spreadsheet: people choose their names themselves. */
export function csv(rows: (string | null)[][]): string {
  const cell = (value: string | null): string => {
    const text = /^[=+\-@\t\r]/.test(value ?? "") ? `'${value}` : (value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}
