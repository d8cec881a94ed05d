/** The gateway, as this app calls it. Every error is an ApiError that can be shown. */
import type { Sessions } from "./session";
import type { Settings } from "./settings";

export interface Connection {
  id: string;
  state: "pending" | "connected" | "refresh_failing" | "reauthorization_required" | "disconnected";
  reason: string | null;
  owner: string;
  kind: "user" | "account";
  zoom_user_id: string | null;
  zoom_account_id: string;
  scopes: string[];
  access_token_expires_at: string;
  grant_expires_at: string;
  created_at: string;
  authorized_at: string;
  state_changed_at: string;
  last_used_at: string | null;
}
export interface Recurrence {
  type: 1 | 2 | 3;
  repeat_interval?: number;
  weekly_days?: string;
  monthly_day?: number;
  monthly_week?: number;
  monthly_week_day?: number;
  end_times?: number;
  end_date_time?: string;
}
export interface Occurrence {
  occurrence_id: string;
  start_time: string;
  duration: number;
  status: string;
}
export interface Meeting {
  id: number;
  uuid: string;
  host_id: string;
  topic: string;
  type: number;
  status?: string;
  start_time?: string;
  duration?: number;
  timezone?: string;
  agenda?: string;
  join_url?: string;
  password?: string;
  recurrence?: Recurrence;
  occurrences?: Occurrence[];
  settings?: { approval_type?: number };
}
export interface Present {
  user_id: string;
  name: string;
  join_time: string | null;
  status: string;
  sharing: boolean;
}
export interface State {
  status: "scheduled" | "live" | "ended" | "deleted";
  instance: { uuid: string; start_time: string | null; end_time: string | null } | null;
  participants_count: number;
  participants: Present[];
  waiting: Present[];
  updated_at: string | null;
}
export interface Attended {
  id: string;
  name: string;
  guest: boolean;
  join_time: string | null;
  leave_time: string | null;
  present: boolean;
  minutes: number;
  sessions: { join_time: string | null; leave_time: string | null }[];
}
export interface Attendance {
  start_time: string | null;
  end_time: string | null;
  participants: Attended[];
}
export interface Recordings {
  total_size?: number;
  recording_files?: {
    id?: string;
    file_type?: string;
    recording_type?: string;
    recording_start?: string;
    recording_end?: string;
    file_size?: number;
    status?: string;
    play_url?: string;
  }[];
}
export interface Registrants {
  total_records?: number;
  registrants: { id: string; first_name: string; last_name?: string; email: string; status: string; create_time?: string }[];
}
export interface Admission {
  signature: string;
  sdk_key: string;
  meeting_number: string;
  role: 0 | 1;
  password: string | null;
  zak: string | null;
  obf: string | null;
  token_missing?: { kind: string; message: string; reason: string; missing_scopes?: string[]; reconnect_url?: string };
}

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    readonly fields: { field: string; message: string }[] = [],
    readonly code = 0,
    readonly requestId = "",
    readonly hint = "",
  ) {
    super(message);
  }

  /** Whether it may work the next time, just so. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

const UNREACHABLE = "The gateway does not answer. Check your network; your input is kept.";

export class Api {
  /** The Zoom account that calls go to, where somebody has several. */
  connection: string | null = sessionStorage.getItem("connection");

  constructor(
    private readonly settings: Settings,
    private readonly sessions: Sessions,
    private readonly expired: () => void,
  ) {}

  use(connection: string | null): void {
    this.connection = connection;
    if (connection) sessionStorage.setItem("connection", connection);
    else sessionStorage.removeItem("connection");
  }

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#call<T>("GET", path, undefined, signal);
  }

  send<T>(method: "POST" | "PATCH" | "DELETE", path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
    return this.#call<T>(method, path, body, signal);
  }

  async #call<T>(method: string, path: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const session = this.sessions.current();
    if (!session) {
      this.expired();
      throw new ApiError("Your session has ended.", 401, "session_ended");
    }
    const headers: Record<string, string> = { authorization: `Bearer ${session.token}`, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.connection && !path.startsWith("/connections") && !path.startsWith("/auth")) {
      headers["x-zoom-connection"] = this.connection;
    }
    let answer: Response;
    try {
      answer = await fetch(this.settings.api_url + path, {
        method,
        headers,
        // The token is the only credential; cookies of this origin are for the OAuth legs and stay out of it.
        credentials: "omit",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(UNREACHABLE, 0, "unreachable");
    }
    if (answer.ok) return (answer.status === 204 ? undefined : await answer.json().catch(() => undefined)) as T;
    throw await this.#refusal(answer);
  }

  async #refusal(answer: Response): Promise<ApiError> {
    const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (answer.status === 401) {
      this.sessions.end();
      this.expired();
      return new ApiError("Your session has ended.", 401, "session_ended");
    }
    const own = answer.status === 502 && !said.code ? UNREACHABLE : "";
    return new ApiError(
      own || String(said.message ?? `The gateway answered ${answer.status}.`),
      answer.status,
      String(said.reason ?? answer.headers.get("x-gateway-reason") ?? ""),
      Array.isArray(said.errors) ? (said.errors as { field: string; message: string }[]) : [],
      Number(said.code ?? 0),
      String(said.request_id ?? answer.headers.get("x-request-id") ?? ""),
      String(said.hint ?? answer.headers.get("x-gateway-hint") ?? ""),
    );
  }
}
