/** Subscriptions as the gateway answers them, and their texts. */

export type SubscriptionState = "pending" | "active" | "paused" | "disabled" | "unsubscribed";

export interface Attempt {
  at: string;
  duration_ms: number;
  status: number | null;
  error: string | null;
  /** The first kilobyte of the endpoint's answer. */
  answer?: string;
}
export interface Health {
  failures: number;
  failing_since: string | null;
  retry_at: string | null;
  slow: boolean;
  recent?: { deliveries: number; delivered: number; retrying: number; failed: number; median_ms: number | null; last_delivered_at: string | null };
}
export interface Subscription {
  id: string;
  state: SubscriptionState;
  url?: string;
  queue?: string;
  types: string[];
  filters: { meeting?: string[]; host?: string[]; connection?: string[]; kind?: string };
  payload: "full" | "thin";
  rate: number | null;
  ordered: boolean;
  description: string | null;
  created_at: string;
  state_changed_at: string;
  reason: string | null;
  health: Health;
  verification?: Attempt;
  previous_secret_until?: string;
  /** Only in the answer that makes the subscription or its secret. */
  secret?: string;
}
export interface Delivery {
  event_id: string;
  type: string;
  time: string;
  status: "delivered" | "retrying" | "failed";
  next_attempt_at: string | null;
  attempts: Attempt[];
}

export const STATES: Record<SubscriptionState, [name: string, kind: "good" | "bad" | "warn" | "plain", meaning: string]> = {
  pending: ["Pending", "plain", "Its target has not shown yet that it wants events."],
  active: ["Active", "good", "Events are sent."],
  paused: ["Paused", "warn", "Nothing is sent. What comes meanwhile is sent when it is resumed."],
  disabled: ["Disabled", "bad", "Its target failed for five days. What it missed is sent when it is resumed."],
  unsubscribed: ["Unsubscribed", "bad", "Its target answered 410: it wants no more events."],
};

const ERRORS: Record<string, string> = {
  refused_address: "The address is not allowed",
  dns_failed: "The name leads nowhere",
  connect_failed: "No connection",
  tls_failed: "No valid certificate",
  timeout: "No answer in time",
  broken_answer: "The answer broke off",
  queue_refused: "The queue refuses",
  queue_error: "The queue fails",
  challenge_mismatch: "The answer was not the challenge",
};

/** Returns the result of an attempt: a status, or an error in words. */
export function outcome(attempt: Pick<Attempt, "status" | "error">): string {
  if (attempt.error) return ERRORS[attempt.error] ?? attempt.error.replaceAll("_", " ");
  return attempt.status === null ? "No answer" : `Status ${attempt.status}`;
}

/** Returns the health of a subscription in one sentence. */
export function healthOf({ failures, recent, slow }: Health): string {
  const said = [
    failures > 0 ? `${failures} ${failures === 1 ? "failure" : "failures"} in a row.` : "",
    slow ? "It is slow, and has a worker of its own." : "",
    recent?.deliveries ? `Of the last ${recent.deliveries} deliveries ${recent.delivered} arrived, ${recent.retrying} are tried again, ${recent.failed} failed.` : "",
    recent?.median_ms != null ? `Half of them took ${recent.median_ms} ms or less.` : "",
  ];
  return said.filter(Boolean).join(" ") || "Nothing was sent yet.";
}

export function targetOf(subscription: Pick<Subscription, "url" | "queue">): string {
  return subscription.url ?? subscription.queue ?? "";
}

/** Reads a typed list, separated by commas, spaces and lines. */
export function listed(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** Returns a form as the gateway's request. Empty fields are left out of a new subscription, and removed from an old one. */
export function asked(data: FormData, known: Subscription | null): Record<string, unknown> {
  const text = (name: string): string => String(data.get(name) ?? "").trim();
  const filters: Record<string, unknown> = {};
  for (const name of ["meeting", "host", "connection"]) {
    const wanted = name === "meeting" ? text(name).split(/[,;\n]+/).map((each) => each.replace(/\D/g, "")).filter(Boolean) : listed(text(name));
    if (wanted.length > 0) filters[name] = wanted;
  }
  if (text("kind")) filters.kind = text("kind");
  const whole: Record<string, unknown> = {
    [text("target") || "url"]: text("address"),
    types: [...new Set([...data.getAll("family").map(String), ...listed(text("types"))])],
    filters,
    payload: text("payload") || "full",
    rate: text("rate") ? Number(text("rate")) : null,
    ordered: data.has("ordered"),
    description: text("description"),
  };
  if (!known) {
    if (whole.rate === null) delete whole.rate;
    if (!whole.description) delete whole.description;
    if (Object.keys(filters).length === 0) delete whole.filters;
    return whole;
  }
  const before: Record<string, unknown> = { ...known, description: known.description ?? "" };
  const same = (one: unknown, other: unknown): boolean => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
  return Object.fromEntries(Object.entries(whole).filter(([name, value]) => !same(value, before[name])));
}

/** Returns objects with their members in order, without empty ones. */
function sorted(value: unknown): unknown {
  if (!value || typeof value !== "object" || Array.isArray(value)) return value;
  const said = Object.entries(value).filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0));
  return Object.fromEntries(said.sort(([one], [other]) => one.localeCompare(other)));
}
