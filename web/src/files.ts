/** Texts about files: their kinds and sizes. */

/** Zoom's `recording_type` in words; a short one in capitals, such as MP4, stays as it is. */
export function kindName(kind: string): string {
  const words = kind.replaceAll("_", " ");
  if (words.length < 5 && words === words.toUpperCase()) return words;
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}

/** A number of bytes, by thousands. */
export function bytes(count: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  const power = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  const value = count / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}
