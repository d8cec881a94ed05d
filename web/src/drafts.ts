/** Unsaved input of forms. It is stored in this tab, so that a reload or the end of a session loses nothing. */

type Entries = [string, string][];
interface Draft {
  entries: Entries;
  /** The Idempotency-Key of this content: sent twice, it makes one meeting. */
  key: string;
}

export class Drafts {
  readonly #name: string;

  constructor(name: string) {
    this.#name = `draft ${name}`;
  }

  read(): Draft | null {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.#name) ?? "null") as Draft | null;
      return kept && Array.isArray(kept.entries) ? kept : null;
    } catch {
      return null;
    }
  }

  keep(form: HTMLFormElement): void {
    const draft: Draft = { entries: entriesOf(new FormData(form)), key: crypto.randomUUID() };
    sessionStorage.setItem(this.#name, JSON.stringify(draft));
  }

  /** Returns the key of the form's content, for a request that may be repeated. */
  key(form: HTMLFormElement): string {
    if (!this.read()) this.keep(form);
    return this.read()?.key ?? crypto.randomUUID();
  }

  forget(): void {
    sessionStorage.removeItem(this.#name);
  }
}

/** Puts a draft back into its form. */
export function restore(form: HTMLFormElement, { entries }: Draft): void {
  for (const box of form.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) {
    box.checked = entries.some(([name, value]) => name === box.name && value === box.value);
  }
  for (const [name, value] of entries) {
    const control = form.elements.namedItem(name);
    if (control instanceof HTMLSelectElement || control instanceof HTMLTextAreaElement) control.value = value;
    else if (control instanceof HTMLInputElement && control.type !== "checkbox") control.value = value;
  }
}

export function entriesOf(data: FormData): Entries {
  return [...data.entries()].map(([name, value]) => [name, String(value)]);
}
