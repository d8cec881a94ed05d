/** The status of a meeting, from its plan and its events. */
import type { Meeting, State } from "./api";

export interface Standing {
  what: "planned" | "due" | "live" | "early" | "over" | "past";
  text: string;
  kind: "good" | "warn" | "plain";
}
type Plan = Pick<Meeting, "start_time" | "duration" | "type">;

/** As in docs/events.md: an instance belongs to a planned start from two hours before it on. */
const BEFORE = 2 * 3_600_000;
const AFTER = 30 * 60_000;
const RECURRING = [3, 8];

/** `state` is that of the meeting's last instance; null where no events have arrived. */
export function standing(plan: Plan, state: State | null, now = Date.now()): Standing {
  const start = plan.start_time ? Date.parse(plan.start_time) : null;
  const end = start === null ? null : start + (plan.duration ?? 0) * 60_000;
  if (state?.status === "live" && isOf(plan, state, start, end)) {
    const count = `${state.participants_count} present`;
    return start !== null && now < start
      ? { what: "early", text: `Live early, ${count}`, kind: "good" }
      : { what: "live", text: `Live, ${count}`, kind: "good" };
  }
  if (state?.status === "ended" && isOf(plan, state, start, end)) {
    return { what: "over", text: start !== null && now < start ? "Ended early" : "Ended", kind: "plain" };
  }
  if (state?.status === "deleted") return { what: "over", text: "Deleted", kind: "plain" };
  if (start === null || end === null || now < start) return { what: "planned", text: "Not started", kind: "plain" };
  if (now < end) return { what: "due", text: "Due now", kind: "warn" };
  return { what: "past", text: "Past, not seen live", kind: "plain" };
}

/** Returns the status of a whole meeting: live if an instance is, else by its next planned start, else ended. */
export function wholeStanding(next: Plan, state: State | null, now = Date.now()): Standing {
  const found = standing(next, state, now);
  if (state?.status === "live" && found.kind !== "good") return standing({ type: next.type }, state, now);
  if (state?.status !== "ended" || found.what !== "planned") return found;
  return { ...found, text: RECURRING.includes(next.type) ? "Last one ended" : "Ended before its time" };
}

/** Returns whether the state is about this planned start, and not about another one of the same number. */
function isOf(plan: Plan, state: State, start: number | null, end: number | null): boolean {
  const began = state.instance?.start_time ? Date.parse(state.instance.start_time) : null;
  if (start === null || end === null || began === null) return true;
  if (state.status === "live" && !RECURRING.includes(plan.type)) return true; // there is no other start
  return began >= start - BEFORE && (!RECURRING.includes(plan.type) || began <= end + AFTER);
}

/** Returns whether events can change the status of a planned start: it is near, or it has no time. */
export function isNear(plan: Plan, now = Date.now()): boolean {
  if (!plan.start_time) return true;
  const start = Date.parse(plan.start_time);
  const early = RECURRING.includes(plan.type) ? BEFORE : 24 * 3_600_000;
  return now >= start - early && now <= start + (plan.duration ?? 0) * 60_000 + 24 * 3_600_000;
}
