/** What the gateway answers about a meeting, made up: times, devices and names that a test run of seconds cannot have. */
import type { Attendance, Attended, Matrix } from "../src/api";

export const LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft";

const day = "2026-09-21T";

function at(clock: string): string {
  return `${day}${clock}:00Z`;
}

type Stay = [from: string | null, to: string | null, assumed?: boolean];

function person(name: string, stays: Stay[], more: Partial<Attended> = {}): Attended {
  const sessions = stays.map(([from, to, assumed]) => ({ join_time: from && at(from), leave_time: to && at(to), ...(assumed ? { leave_time_assumed: true } : {}) }));
  return { id: "", name, guest: true, join_time: sessions[0]?.join_time ?? null, leave_time: sessions.at(-1)?.leave_time ?? null, present: false, minutes: 0, sessions, ...more };
}

/** Six people from 14:00 to 15:00 UTC; at most four at once, from 14:15 to 14:20. */
export function attendance(): Attendance {
  return {
    status: "ended",
    topic: "Product round",
    start_time: at("14:00"),
    end_time: at("15:00"),
    instances: [
      { uuid: "one==", status: "ended", start_time: at("14:00"), end_time: at("15:00"), occurrence: at("14:00") },
      { uuid: "nil==", status: "ended", start_time: "2026-09-14T14:00:00Z", end_time: "2026-09-14T15:00:00Z", occurrence: "2026-09-14T14:00:00Z" },
      { uuid: "extra==", status: "ended", start_time: "2026-09-15T08:00:00Z", end_time: "2026-09-15T08:05:00Z", unplanned: true },
    ],
    instances_used: ["one=="],
    participants: [
      person("Jill Chill", [["14:00", "15:00", true]], { guest: false }),
      person("Ada Lovelace", [["14:05", "14:20"], ["14:30", "14:50"]], { waiting: [{ join_time: at("14:01"), leave_time: at("14:05") }] }),
      person("Grace Hopper", [["14:10", "14:40"], ["14:15", "14:25"]]),
      person("=cmd()", [["14:15", "14:20"]]),
      person("Unseen", [[null, "14:12"]]),
      person(LONG, [["14:45", "14:55"]]),
    ],
  };
}

export function matrix(): Matrix {
  const days = ["07", "14", "21", "28"].map((each) => `2026-09-${each}T14:00:00Z`);
  const held = (start: string, index: number): Matrix["occurrences"][number] =>
    index === 1
      ? { occurrence: start, status: "scheduled", start_time: null, end_time: null, participants_count: 0 }
      : { occurrence: start, status: "ended", start_time: start, end_time: start.replace("14:00", "15:00"), participants_count: 2 };
  const row = (name: string, minutes: number[]): Matrix["participants"][number] => ({
    name,
    guest: name !== "Jill Chill",
    minutes: minutes.reduce((sum, each) => sum + each, 0),
    occurrences: days.map((occurrence, index) => ({ occurrence, duration: (minutes[index] ?? 0) * 60, minutes: minutes[index] ?? 0 })),
  });
  return {
    topic: "Product round",
    occurrences: days.map(held),
    unplanned: ["extra=="],
    participants: [row("Jill Chill", [60, 0, 60, 60]), row("Ada Lovelace", [45, 0, 35, 0]), row(LONG, [0, 0, 10, 30])],
  };
}
