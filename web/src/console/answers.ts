/** The answers of `/operator/...`: the whole stack as ids, states and counts. */

export interface Answer {
  as_of: string;
  /** False where reading took too long: the numbers are then lower bounds. */
  complete: boolean;
}
export type ConnectionState = "pending" | "connected" | "refresh_failing" | "reauthorization_required" | "disconnected";

export interface OperatorConnection {
  id: string;
  tenant: string;
  kind: "user" | "account";
  state: ConnectionState;
  reason: string | null;
  advice: string;
  zoom_account_id: string;
  state_changed_at: string;
  last_used_at: string | null;
}
export interface Connections extends Answer {
  states: Record<ConnectionState, number>;
  reasons: Record<string, number>;
  tenants: number;
  connections: OperatorConnection[];
  next_page_token: string;
}
export interface Outcomes {
  calls: number;
  requests: number;
  ok: number;
  refused: number;
  limited: number;
  failed: number;
}
export interface Budget {
  zoom_account_id: string;
  plan: string;
  limit: string;
  calls: number;
  used: number;
  left: number;
}
export interface Calls extends Answer {
  days: (Outcomes & { date: string })[];
  operations: (Outcomes & { operation: string })[];
  budgets: {
    resets_at: string;
    daily: Budget[];
    closed: { zoom_account_id: string; label: string; until: string; reason: string }[];
  };
}
export interface Events extends Answer {
  days: { date: string; published: number; unrouted: number; malformed: number; duplicates: number }[];
  types: { type: string; events: number; by_day: number[] }[];
  deliveries: { date: string; delivered: number; retried: number; failed: number; dropped: number }[];
}
export interface Refreshes extends Answer {
  days: { date: string; refreshed: number; refresh_failing: number; reauthorization_required: number; unavailable: number }[];
  failing: number;
  given_up: number;
  connections: OperatorConnection[];
  sweep_age_seconds: number | null;
  rollup_age_seconds: number | null;
}
export interface Webhooks extends Answer {
  apps: {
    zoom_client_id: string;
    last_verified_at: string | null;
    last_verified_age_seconds: number | null;
    last_challenge_at: string | null;
    challenge_overdue: boolean;
    secrets: { fingerprint: string; in_use_since: string; age_seconds: number }[];
  }[];
  rejections: { reason: string; last_rejected_at: string; last_rejected_age_seconds: number }[];
}
export interface Key {
  id: string;
  tenant: string;
  name: string;
  state: "active" | "expired" | "revoked";
  scopes: string[];
  connection: string | null;
  requests_per_minute: number | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
}
export interface Keys extends Answer {
  total: number;
  states: Record<Key["state"], number>;
  limited: number;
  days: { date: string; made: number; revoked: number }[];
  keys: Key[];
  next_page_token: string;
}
export interface DeadLetters extends Answer {
  queues: { queue: string; dead_letters: number; waiting: number }[];
}
export interface Messages {
  queue: string;
  complete: boolean;
  messages: ({ id: string; received?: string } & Record<string, string | number>)[];
}
export interface Moved {
  done: number;
  not_found: string[];
  left: number;
}
