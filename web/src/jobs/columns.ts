/** Guesses which member of an operation a column of a spreadsheet is. */

/** Usual names of columns in English and German, without case, spaces and marks. */
const CALLED: Record<string, readonly string[]> = {
  topic: ["topic", "title", "subject", "name", "meeting name", "meeting topic", "thema", "titel", "betreff"],
  start_time: ["start time", "start", "starts", "begin", "date", "when", "beginn", "datum", "startzeit"],
  duration: ["duration", "minutes", "length", "dauer", "minuten"],
  timezone: ["timezone", "zone", "zeitzone"],
  agenda: ["agenda", "description", "beschreibung"],
  password: ["password", "passcode", "kenncode"],
  userId: ["user id", "user", "host", "host email", "owner", "gastgeber", "host id"],
  meetingId: ["meeting id", "meeting", "meeting number", "id", "number", "besprechung"],
  webinarId: ["webinar id", "webinar", "webinar number", "id", "number"],
  email: ["email", "mail", "email address", "mailadresse"],
  first_name: ["first name", "given name", "vorname"],
  last_name: ["last name", "surname", "family name", "nachname"],
  org: ["organization", "organisation", "company", "firma"],
  job_title: ["job title", "position", "role"],
  phone: ["phone", "telephone", "telefon"],
  city: ["city", "town", "stadt", "ort"],
  country: ["country", "land"],
};

/** Returns the member for each column, "" for those that are left out. No member is used twice. */
export function guessed(columns: readonly string[], members: readonly string[]): string[] {
  const taken = new Set<string>();
  const take = (member: string | undefined): string => {
    if (!member || taken.has(member)) return "";
    taken.add(member);
    return member;
  };
  // A column with a member's exact name takes precedence over one with a similar name.
  const exact = columns.map((column) => take(members.find((member) => member === column || plain(member) === plain(column))));
  return columns.map((column, index) => exact[index] || take(members.find((member) => !taken.has(member) && sounds(member, column))));
}

function sounds(member: string, column: string): boolean {
  const last = member.split(".").at(-1) ?? member;
  return plain(last) === plain(column) || (CALLED[last] ?? []).some((name) => plain(name) === plain(column));
}

function plain(name: string): string {
  return name.normalize("NFKD").toLowerCase().replace(/[^a-z0-9.]/g, "");
}

/** Returns the fault in a choice of members: one that two columns have. */
export function twice(chosen: readonly string[]): string | null {
  return chosen.find((member, index) => member !== "" && chosen.indexOf(member) !== index) ?? null;
}

/** Returns whether cells look like dates whose order depends on the language, such as 3.4.2030. */
export function needsLocale(cells: readonly string[]): boolean {
  return cells.some((cell) => /^\s*\d{1,4}\s*[./-]\s*\d{1,2}\s*[./-]\s*\d{1,4}/.test(cell) && !/^\s*\d{4}-\d{2}-\d{2}/.test(cell));
}
