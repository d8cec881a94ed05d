/** What a host sends to guests: the link, a text, and a calendar file. */
import type { Meeting } from "./api";
import { moment, ZONE } from "./time";

/** Returns the link for guests. For a meeting with registration, that is the page to register. */
export function guestLink(meeting: Meeting): { url: string; registration: boolean } | null {
  const registers = meeting.settings?.approval_type === 0 || meeting.settings?.approval_type === 1;
  if (registers && meeting.registration_url) return { url: meeting.registration_url, registration: true };
  return meeting.join_url ? { url: meeting.join_url, registration: false } : null;
}

/** Returns a text for an e-mail. An invitation to register has no passcode, because Zoom sends it to approved people. */
export function invitationText(meeting: Meeting): string {
  const link = guestLink(meeting);
  const start = upcoming(meeting)[0]?.start;
  return [
    meeting.topic,
    "",
    start && `When: ${moment(start.toISOString())} (${ZONE})${meeting.recurrence ? ", and later" : ""}`,
    link && `${link.registration ? "Register" : "Join"}: ${link.url}`,
    link && !link.registration && `Meeting number: ${meeting.id}`,
    link && !link.registration && meeting.password && `Passcode: ${meeting.password}`,
    meeting.agenda && `\n${meeting.agenda}`,
  ]
    .filter((each): each is string => typeof each === "string")
    .join("\n");
}

/**
 * An iCalendar file (RFC 5545) with an entry in UTC for each planned time, or null where no time is planned. UTC needs no
 * description of a zone, and each occurrence is right when the clocks change.
 */
export function calendarFile(meeting: Meeting, now = new Date()): string | null {
  const times = upcoming(meeting);
  if (times.length === 0) return null;
  const link = guestLink(meeting);
  const entry = ({ start, minutes, id }: Time): string[] => [
    "BEGIN:VEVENT",
    `UID:${id}@zoom-gateway`,
    `DTSTAMP:${stamp(now)}`,
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(new Date(start.getTime() + minutes * 60_000))}`,
    `SUMMARY:${escaped(meeting.topic)}`,
    `DESCRIPTION:${escaped(invitationText(meeting))}`,
    ...(link ? [`URL:${link.url}`, `LOCATION:${escaped(link.url)}`] : []),
    "END:VEVENT",
  ];
  const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Zoom gateway//Web client//EN", ...times.flatMap(entry), "END:VCALENDAR"];
  return lines.map((line) => `${folded(line)}\r\n`).join("");
}

interface Time {
  id: string;
  start: Date;
  minutes: number;
}

function upcoming(meeting: Meeting): Time[] {
  const occurrences = (meeting.occurrences ?? []).filter((each) => each.status !== "deleted");
  if (occurrences.length > 0) {
    return occurrences.map((each) => ({ id: `${meeting.id}-${each.occurrence_id}`, start: new Date(each.start_time), minutes: each.duration }));
  }
  return meeting.start_time ? [{ id: String(meeting.id), start: new Date(meeting.start_time), minutes: meeting.duration ?? 60 }] : [];
}

function stamp(at: Date): string {
  return at.toISOString().replace(/[-:]|\.\d+/g, "");
}

function escaped(text: string): string {
  return text.replace(/[\\;,]/g, "\\$&").replace(/\r\n?|\n/g, "\\n");
}

/** Lines are at most 75 octets long; what follows begins with a space. */
function folded(line: string): string {
  const encoder = new TextEncoder();
  const lines: string[] = [""];
  let octets = 0;
  for (const letter of line) {
    const size = encoder.encode(letter).length;
    if (octets + size > 75) {
      lines.push(" ");
      octets = 1;
    }
    lines[lines.length - 1] += letter;
    octets += size;
  }
  return lines.join("\r\n");
}

