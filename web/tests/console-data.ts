/** A busy stack on a bad night, as `/operator/...` answers: enough to judge charts and words by. */
import type { Answers } from "./mocked";

export const NOW = Date.parse("2026-11-23T03:12:00Z");
const DAYS = Array.from({ length: 7 }, (_, back) => new Date(NOW - (6 - back) * 86_400_000).toISOString().slice(0, 10));
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString().replace(/\.\d+Z/, "Z");
const about = { as_of: ago(2), complete: true };

const HOUR = 3_600;
const connection = (number: number, state: string, reason: string | null, advice: string, since: number) => ({
  id: `con_01k9x4m2p7q8r9s0t1v2w3x4y${number}`,
  tenant: ["acme", "globex-europe", "initech"][number % 3],
  kind: number % 4 ? "user" : "account",
  state,
  reason,
  advice,
  failures: reason ? 3 : 0,
  zoom_client_id: "Zq2kPz9oQ8mJ4T6cVbR1xA",
  zoom_account_id: `acc-${number}`,
  state_changed_at: ago(since),
  last_used_at: ago(since + HOUR),
  last_webhook_at: null,
});

const AGAIN = "The person has to connect Zoom again. If many have this reason, make try-again tries the old grants first.";
const WAIT = "Nothing while Zoom is down: the gateway tries again by itself. If others work, look at the reason.";
const listed = [
  connection(0, "reauthorization_required", "invalid_grant", AGAIN, 2 * HOUR),
  connection(1, "reauthorization_required", "app_deauthorized", "The person removed the app at Zoom. Their program can offer to connect again.", 9 * HOUR),
  connection(2, "reauthorization_required", "superseded", "Nothing here: another tenant has connected this Zoom user since then.", 50 * HOUR),
  connection(3, "refresh_failing", "zoom_error", WAIT, 0.4 * HOUR),
  connection(4, "refresh_failing", "timeout", WAIT, 0.6 * HOUR),
  connection(5, "connected", null, "", 400 * HOUR),
  connection(6, "connected", null, "", 800 * HOUR),
];

const outcomes = (calls: number, refused: number, limited: number, failed: number) => ({
  calls, requests: calls + failed * 2, ok: calls - refused - limited - failed, refused, limited, failed,
});
const CALLS: [number, number, number, number][] = [[18_400, 310, 12, 9], [21_250, 402, 30, 14], [22_900, 377, 0, 6], [20_010, 350, 85, 21], [6_420, 96, 0, 3], [5_980, 88, 0, 2], [3_310, 70, 420, 161]];
const OPERATIONS = [["meetings.list", 30_120, 90, 22, 31], ["meetings.create", 21_940, 820, 402, 118], ["users.get", 18_300, 210, 0, 12], ["meetings.get", 12_050, 340, 8, 20], ["registrants.add", 7_410, 160, 90, 14], ["recordings.list", 4_220, 41, 25, 9], ["reports.participants", 2_380, 22, 0, 8], ["webinars.list", 1_050, 8, 0, 2], ["past.participants", 800, 2, 0, 2]];

const TYPES = ["meeting.participant_joined", "meeting.participant_left", "meeting.started", "meeting.ended", "recording.completed", "meeting.created", "user.updated", "meeting.registration_created"];
const WEEK = [1, 1.15, 1.2, 1.05, 0.3, 0.25, 0.22];
const published = (at: number): number => TYPES.reduce((sum, _, type) => sum + by(type, at), 0);
const by = (type: number, at: number): number => Math.round(([4200, 4100, 610, 600, 240, 330, 75, 410][type] ?? 0) * (WEEK[at] ?? 1));

const key = (id: string, tenant: string, name: string, scopes: string[], more: object = {}) => ({
  id, tenant, name, state: "active", scopes, connection: null, requests_per_minute: null, created_at: ago(30 * 86_400), expires_at: null, revoked_at: null, ...more,
});

export const connections = {
  ...about, states: { pending: 4, connected: 1_204, refresh_failing: 2, reauthorization_required: 3, disconnected: 0 }, reasons: { invalid_grant: 1 }, subscriptions: { active: 5 }, tenants: 3, connections: listed, page_size: 20, next_page_token: "more",
};
export const keys = {
  ...about, total: 6, states: { active: 4, expired: 1, revoked: 1 }, limited: 2,
  days: DAYS.map((date, at) => ({ date, made: [0, 2, 0, 1, 0, 0, 1][at], revoked: [0, 0, 1, 0, 0, 0, 0][at] })),
  keys: [
    key("r3kq7m2xw5ab", "acme", "calendar sync", ["meetings:read", "meetings:write"], { created_at: ago(5 * HOUR), requests_per_minute: 600 }),
    key("b7n2c4tq6kza", "globex-europe", "for a•••@globex.example", ["*"], { created_at: ago(3 * 86_400) }),
    key("q5w6e7r2t3ya", "initech", "nightly reports of the whole company, in every language it has", ["reports:read", "users:read", "meetings:read", "recordings:read", "usage:read"], { requests_per_minute: 60 }),
    key("z2x3c4v5b6na", "acme", "on call", ["operator:read", "operator:write"], {}),
    key("m4n5b6v7c2xa", "acme", "old build server", ["meetings:read"], { state: "revoked", revoked_at: ago(4 * 86_400) }),
    key("k7j6h5g4f3da", "initech", "trial", ["meetings:read"], { state: "expired", expires_at: ago(8 * 86_400) }),
  ],
  page_size: 20, next_page_token: "",
};
export const deadLetters = {
  ...about,
  queues: ["ingest", "integration-events", "refresh", "escrow", "reconcile", "erasure", "delivery", "redelivery"].map((queue) => ({ queue, dead_letters: { ingest: 3, escrow: 1 }[queue] ?? 0, waiting: { ingest: 41 }[queue] ?? 0 })),
};
export const messages = {
  queue: "ingest", complete: true,
  messages: [
    { id: "5f0c2c1e-7a52-4d6e-9f0e-0a6c1d2e3f40", received: "5", app: "Zq2kPz9oQ8mJ4T6cVbR1xA", event: "meeting.ended", event_ts: 1795400000000 },
    { id: "7b1d3e5f-8c63-4e7f-a01f-1b7d2e3f4a51", received: "5", app: "Zq2kPz9oQ8mJ4T6cVbR1xA", event: "recording.completed", event_ts: 1795400100000 },
    { id: "9c2e4f60-9d74-4f80-b120-2c8e3f4a5b62", received: "5", body: "not JSON" },
  ],
};
export const calls = {
  ...about,
  days: DAYS.map((date, at) => ({ date, ...outcomes(...(CALLS[at] as [number, number, number, number])) })),
  operations: OPERATIONS.map(([operation, ...numbers]) => ({ operation, ...outcomes(...(numbers as [number, number, number, number])) })),
  budgets: {
    resets_at: "2026-11-24T00:00:00Z",
    daily: [
      { zoom_account_id: "acc-kJ2mN8pQ", plan: "business", limit: "costly", calls: 60_000, used: 55_830, left: 4_170 },
      { zoom_account_id: "acc-Wx7Yz1Ab", plan: "pro", limit: "costly", calls: 30_000, used: 23_400, left: 6_600 },
      { zoom_account_id: "acc-Cd3Ef5Gh", plan: "pro", limit: "costly", calls: 30_000, used: 1_210, left: 28_790 },
    ],
    closed: [{ zoom_account_id: "acc-kJ2mN8pQ", label: "heavy", until: "2026-11-23T03:30:00Z", reason: "zoom_asked_to_wait" }],
  },
};
export const events = {
  ...about,
  days: DAYS.map((date, at) => ({ date, published: published(at), unrouted: [0, 3, 0, 0, 1, 0, 6][at], malformed: 0, duplicates: [12, 20, 9, 14, 2, 1, 31][at] })),
  types: TYPES.map((type, at) => ({ type, events: WEEK.reduce((sum, _, day) => sum + by(at, day), 0), by_day: WEEK.map((_, day) => by(at, day)) })),
  deliveries: DAYS.map((date, at) => ({ date, delivered: Math.round(5_000 * (WEEK[at] ?? 1)), retried: [4, 9, 2, 6, 0, 0, 220][at], failed: [0, 0, 0, 1, 0, 0, 12][at], dropped: 0 })),
};
export const webhooks = {
  ...about,
  apps: [{ zoom_client_id: "Zq2kPz9oQ8mJ4T6cVbR1xA", last_verified_at: ago(95), last_verified_age_seconds: 95, last_challenge_at: ago(30 * HOUR), last_challenge_age_seconds: 30 * HOUR, challenge_overdue: false, secrets: [{ fingerprint: "3f9a1c20b7de", in_use_since: ago(400 * 86_400), age_seconds: 400 * 86_400 }] }],
  rejections: [{ reason: "wrong_signature", last_rejected_at: ago(1_500), last_rejected_age_seconds: 1_500 }],
};
export const refreshes = {
  ...about,
  days: DAYS.map((date, at) => ({ date, refreshed: [9100, 9400, 9350, 9200, 4100, 3900, 1200][at], refresh_failing: [3, 0, 2, 0, 0, 1, 58][at], reauthorization_required: [0, 1, 0, 0, 0, 0, 2][at], unavailable: 0 })),
  failing: 2, given_up: 3, connections: listed.filter((each) => each.state === "refresh_failing"), sweep_age_seconds: 240, rollup_age_seconds: 10_300,
};

export const BAD_NIGHT: Answers = [
  [/^\/operator\/dead-letters\/ingest$/, messages],
  [/^\/operator\/dead-letters\/ingest\/(redrive|discard)$/, { queue: "ingest", done: 3, not_found: [], left: 0 }],
  [/^\/operator\/dead-letters$/, deadLetters],
  [/^\/operator\/connections\?.*token/, { ...connections, connections: [connection(7, "connected", null, "", 99 * HOUR)], next_page_token: "" }],
  [/^\/operator\/connections/, connections],
  [/^\/operator\/calls/, calls],
  [/^\/operator\/events/, events],
  [/^\/operator\/webhooks/, webhooks],
  [/^\/operator\/refreshes/, refreshes],
  [/^\/operator\/keys\/r3kq7m2xw5ab\/revoke/, { ...keys.keys[0], state: "revoked" }],
  [/^\/operator\/keys\/r3kq7m2xw5ab$/, { ...keys.keys[0], requests_per_minute: 120 }],
  [/^\/operator\/keys/, keys],
];

const zero = (days: object[]): object[] => days.map((each) => Object.fromEntries(Object.entries(each).map(([name, value]) => [name, name === "date" ? value : 0])));

/** A stack that was deployed a minute ago. */
export const NEW_STACK: Answers = [
  [/^\/operator\/dead-letters/, { ...about, queues: deadLetters.queues.map((each) => ({ ...each, dead_letters: 0, waiting: 0 })) }],
  [/^\/operator\/connections/, { ...connections, states: { pending: 0, connected: 0, refresh_failing: 0, reauthorization_required: 0, disconnected: 0 }, connections: [], next_page_token: "" }],
  [/^\/operator\/calls/, { ...about, days: zero(calls.days), operations: [], budgets: { ...calls.budgets, daily: [], closed: [] } }],
  [/^\/operator\/events/, { ...about, days: zero(events.days), types: [], deliveries: zero(events.deliveries) }],
  [/^\/operator\/webhooks/, { ...about, apps: [], rejections: [] }],
  [/^\/operator\/refreshes/, { ...refreshes, days: zero(refreshes.days), failing: 0, given_up: 0, connections: [], sweep_age_seconds: null, rollup_age_seconds: null }],
  [/^\/operator\/keys/, { ...keys, total: 0, states: { active: 0, expired: 0, revoked: 0 }, limited: 0, days: zero(keys.days), keys: [] }],
];
