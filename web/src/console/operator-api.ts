/** Calls of an operator: with the person's session, or with a bearer of an hour for an operator's key. */
import { ApiError, type Api } from "../api";

const KEPT = "operator";
/** Reasons that end the console: it asks the operator to sign in again. */
export const LOST = ["missing_scope", "operator_session_ended"];
const SCOPE = "operator:read";
const WRITES = "operator:write";

interface Bearer {
  token: string;
  expires_at: number;
  scope: string;
}

export class OperatorApi {
  constructor(private readonly api: Api) {}

  get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return this.#call(() => this.api.get<T>(`/operator/${path}`, signal, this.#credential()));
  }

  send<T>(method: "POST" | "PATCH", path: string, body: unknown): Promise<T> {
    return this.#call(() => this.api.send<T>(method, `/operator/${path}`, body, this.#credential()));
  }

  /** Exchanges a key for a bearer, which this tab stores until it expires. The key itself is not stored. */
  async signIn(key: string): Promise<void> {
    const id = /^zk_([a-z2-7]{12})_[A-Za-z0-9_-]{43}$/.exec(key.trim())?.[1];
    if (!id) throw new ApiError("That is no API key: it begins with zk_ and has 59 characters.", 400, "no_key");
    const form = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: key.trim() });
    const given = await this.api.token(form);
    if (!given.scope.split(" ").includes(SCOPE)) throw new ApiError("This key is not an operator's.", 403, "missing_scope");
    const bearer: Bearer = { token: given.access_token, expires_at: Date.now() + given.expires_in * 1000, scope: given.scope };
    sessionStorage.setItem(KEPT, JSON.stringify(bearer));
  }

  signOut(): void {
    sessionStorage.removeItem(KEPT);
  }

  get withKey(): boolean {
    return kept() !== null;
  }

  /** Whether this operator may change anything. Used only to hide what the gateway would refuse. */
  get writes(): boolean {
    const bearer = kept();
    return bearer ? bearer.scope.split(" ").includes(WRITES) : this.api.tokenNames(WRITES);
  }

  #credential(): { token: string } | Record<string, never> {
    const bearer = kept();
    return bearer ? { token: bearer.token } : {};
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof ApiError && error.reason === "operator_session_ended") this.signOut();
      throw error;
    }
  }
}

/** Whether the person's token has a scope for the console. */
export function mayOperate(api: Api): boolean {
  return kept() !== null || api.tokenNames(SCOPE);
}

function kept(): Bearer | null {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Bearer | null;
    return found && found.expires_at > Date.now() ? found : null;
  } catch {
    return null;
  }
}
