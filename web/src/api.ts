/** The gateway, as this app calls it. Every error is an ApiError that can be shown. */
import { claims, type Sessions } from "./session";
import type { Settings } from "./settings";

export interface Connection {
  id: string;
  state: "pending" | "connected" | "refresh_failing" | "reauthorization_required" | "disconnected";
  reason: string | null;
  owner: string;
  kind: "user" | "account";
  /** Made with another Zoom app than the gateway uses now. */
  of_another_app?: boolean;
  zoom_user_id: string | null;
  zoom_account_id: string;
  scopes: string[];
  missing_scopes?: string[];
  /** Null for a whole account: its secret does not age. */
  grant_expires_at: string | null;
  created_at: string;
  authorized_at: string;
  state_changed_at: string;
  last_used_at: string | null;
  last_webhook_at?: string | null;
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
  registration_url?: string;
  settings?: {
    approval_type?: number;
    waiting_room?: boolean;
    auto_recording?: string;
    meeting_invitees?: { email: string }[];
  };
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
  sessions: { join_time: string | null; leave_time: string | null; leave_time_assumed?: boolean }[];
  /** Only for people who were in the waiting room. */
  waiting?: { join_time: string | null; leave_time: string | null; leave_time_assumed?: boolean }[];
}
export interface Instance {
  uuid: string;
  status: string;
  start_time: string | null;
  end_time: string | null;
  occurrence?: string;
  unplanned?: boolean;
}
export interface Attendance {
  status: string;
  topic?: string;
  start_time: string | null;
  end_time: string | null;
  instances?: Instance[];
  instances_used?: string[];
  participants: Attended[];
}
export interface Matrix {
  topic?: string;
  /** Has no times where it was not held. */
  occurrences: { occurrence: string; status: string; start_time: string | null; end_time: string | null; participants_count: number }[];
  unplanned?: string[];
  participants: {
    name: string;
    guest: boolean;
    minutes: number;
    occurrences: { occurrence: string; duration: number; minutes: number }[];
  }[];
}
export interface Recordings {
  total_size?: number;
  password?: string;
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
export interface Registrant {
  id: string;
  first_name: string;
  last_name?: string;
  email: string;
  status: string;
}
export interface Registrants {
  next_page_token?: string;
  registrants: Registrant[];
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
  readonly fields: { field: string; message: string }[];
  readonly requestId: string;
  readonly hint: string;
  /** Where the person consents again, if that helps. */
  readonly reconnect: string;

  constructor(
    message: string,
    readonly status: number,
    readonly reason: string,
    more: { fields?: { field: string; message: string }[]; requestId?: string; hint?: string; reconnect?: string } = {},
  ) {
    super(message);
    this.fields = more.fields ?? [];
    this.requestId = more.requestId ?? "";
    this.hint = more.hint ?? "";
    this.reconnect = more.reconnect ?? "";
  }
}

export interface Options {
  signal?: AbortSignal;
  /** Another connection than the chosen one. */
  connection?: string;
  /** For creates: a repetition with the same key makes nothing twice. */
  idempotencyKey?: string;
  /** Another credential than the session's. */
  token?: string;
}

const UNREACHABLE = "The gateway does not answer. Check your network; your input is kept.";
/** Texts for people about connections that cannot be used, by state. */
const UNUSABLE: Record<string, string> = {
  reauthorization_required: "Zoom has to be connected again.",
  refresh_failing: "Zoom's tokens cannot be renewed at the moment.",
  pending: "Connecting Zoom was not finished.",
  disconnected: "This Zoom account is disconnected.",
};

/** For calls that concern no Zoom account. */
const NO_CONNECTION = "";

export class Api {
  /** The Zoom account that calls use, where a person has several. */
  connection: string | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly sessions: Sessions,
    private readonly expired: () => void,
  ) {
    this.recall();
  }

  /** Restores the choice that this tab has stored. */
  recall(): void {
    this.connection = sessionStorage.getItem("connection");
  }

  use(connection: string | null): void {
    this.connection = connection;
    if (connection) sessionStorage.setItem("connection", connection);
    else sessionStorage.removeItem("connection");
  }

  get<T>(path: string, signal?: AbortSignal, options: Options = {}): Promise<T> {
    return this.#call<T>("GET", path, undefined, { ...options, ...(signal ? { signal } : {}) });
  }

  send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown, options: Options = {}): Promise<T> {
    return this.#call<T>(method, path, body, options);
  }

  /** Requests a bearer as programs do, with an API key's id and secret in a form. */
  async token(form: URLSearchParams): Promise<{ access_token: string; expires_in: number; scope: string }> {
    const answer = await fetch(`${this.settings.api_url}/oauth/token`, { method: "POST", body: form, credentials: "omit" }).catch(() => null);
    if (!answer) throw new ApiError(UNREACHABLE, 0, "unreachable");
    if (!answer.ok) throw new ApiError("The gateway does not know this key, or it has ended.", answer.status, "unknown_key");
    return (await answer.json()) as { access_token: string; expires_in: number; scope: string };
  }

  /** Whether the session's token names a scope. Used only to hide what the gateway would refuse. */
  tokenNames(scope: string): boolean {
    return JSON.stringify(claims(this.sessions.current()?.token ?? "")).includes(scope);
  }

  /** Returns a file. For a large one the gateway redirects to another host, which gets none of our headers. */
  async file(path: string, signal?: AbortSignal): Promise<Blob> {
    const answer = await this.#ask("GET", path, undefined, { connection: NO_CONNECTION, ...(signal ? { signal } : {}) });
    return answer.blob().catch(() => {
      throw new ApiError(UNREACHABLE, 0, "unreachable");
    });
  }

  async #call<T>(method: string, path: string, body: unknown, options: Options): Promise<T> {
    const answer = await this.#ask(method, path, body, options);
    if (answer.status === 204) return undefined as T;
    return (await answer.json().catch((error: unknown) => {
      if (options.signal?.aborted) throw error; // the page was left before the answer arrived
      return undefined;
    })) as T;
  }

  async #ask(method: string, path: string, body: unknown, { signal, connection, idempotencyKey, token }: Options): Promise<Response> {
    const credential = token ?? this.sessions.current()?.token;
    if (!credential) {
      this.expired();
      throw new ApiError("Your session has ended.", 401, "session_ended");
    }
    const headers: Record<string, string> = { authorization: `Bearer ${credential}`, accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (idempotencyKey) headers["idempotency-key"] = idempotencyKey;
    if (path.startsWith("/v2/")) headers["x-zoom-priority"] = "interactive"; // a person waits
    const serving = connection ?? this.connection;
    if (serving && !/^\/(connections|auth|operator)/.test(path)) headers["x-zoom-connection"] = serving;
    let answer: Response;
    try {
      answer = await fetch(this.settings.api_url + path, {
        method,
        headers,
        // The token is the only credential. This origin's cookies are for the OAuth pages and are not sent.
        credentials: "omit",
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal ? { signal } : {}),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(UNREACHABLE, 0, "unreachable");
    }
    if (!answer.ok && token && answer.status === 401) throw new ApiError("This key has ended.", 401, "operator_session_ended");
    if (!answer.ok) throw await this.#refusal(answer);
    return answer;
  }

  async #refusal(answer: Response): Promise<ApiError> {
    const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    // A 401 from Zoom is about the connection; only the gateway's own is about this session.
    if (answer.status === 401 && !answer.headers.has("x-gateway-reason")) {
      this.sessions.end();
      this.expired();
      return new ApiError("Your session has ended.", 401, "session_ended");
    }
    const lacking = said.reason === "missing_scope" && Array.isArray(said.missing_scopes) ? said.missing_scopes.join(", ") : "";
    const may = lacking && `Your sign-in does not include ${lacking}. Whoever runs this service can give it to you.`;
    const own = answer.status === 502 && !said.code ? UNREACHABLE : may || (UNUSABLE[String(said.state)] ?? "");
    return new ApiError(
      own || String(said.message ?? `The gateway answered ${answer.status}.`),
      answer.status,
      String(said.reason ?? answer.headers.get("x-gateway-reason") ?? ""),
      {
        fields: Array.isArray(said.errors) ? (said.errors as { field: string; message: string }[]) : [],
        requestId: String(said.request_id ?? answer.headers.get("x-request-id") ?? ""),
        hint: String(said.hint ?? answer.headers.get("x-gateway-hint") ?? ""),
        reconnect: String(said.reconnect_url ?? ""),
      },
    );
  }
}
