/**
 * Who is signed in: OpenID Connect, authorization code with PKCE, no client secret.
 *
 * The access token is in this tab's sessionStorage. It survives a reload and the redirects to Zoom and back, is deleted
 * with the tab, and no other tab has it. There is no refresh token. docs/threat-model-web.md gives the reasons.
 */
import type { Settings } from "./settings";

export interface Person {
  name: string;
  subject: string;
}
interface Session {
  token: string;
  expires_at: number;
  person: Person;
}
interface Provider {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
}

const SESSION = "session";
const PENDING = "sign-in";
const LAST = "person";

export class SignInFailed extends Error {}

export class Sessions {
  readonly #oidc: Settings["oidc"];

  constructor(settings: Settings) {
    this.#oidc = settings.oidc;
  }

  /** Whether there is an identity provider at all. */
  get canSignIn(): boolean {
    return this.#oidc.issuer !== "";
  }

  current(): Session | null {
    const kept = read<Session>(SESSION);
    return kept && kept.expires_at > Date.now() ? kept : null;
  }

  /** Whether a session in this tab has ended. */
  lapsed(): boolean {
    return this.current() === null && read<Session>(SESSION) !== null;
  }

  end(): void {
    sessionStorage.removeItem(SESSION);
  }

  /** Redirects to the identity provider, which returns to `returnTo`, a path of this app. */
  async signIn(returnTo: string): Promise<never> {
    const provider = await this.#provider();
    const [verifier, state] = [random(), random()];
    sessionStorage.setItem(PENDING, JSON.stringify({ verifier, state, returnTo }));
    const query = new URLSearchParams({
      ...this.#oidc.parameters,
      client_id: this.#oidc.client_id,
      redirect_uri: redirectUri(),
      response_type: "code",
      scope: this.#oidc.scope,
      state,
      code_challenge: await challenge(verifier),
      code_challenge_method: "S256",
    });
    location.assign(`${provider.authorization_endpoint}?${query}`);
    return new Promise<never>(() => undefined);
  }

  /** Handles the provider's answer. Returns the path that the person had opened. Throws SignInFailed. */
  async complete(query: URLSearchParams): Promise<string> {
    const pending = read<{ verifier: string; state: string; returnTo: string }>(PENDING);
    sessionStorage.removeItem(PENDING);
    if (query.get("error")) throw new SignInFailed("The identity provider did not sign you in.");
    if (!pending || query.get("state") !== pending.state) throw new SignInFailed("This sign-in did not start here.");
    const provider = await this.#provider();
    // RFC 9207: the answer of another provider, sent here by an attacker, names that provider.
    if (query.has("iss") && query.get("iss") !== provider.issuer) throw new SignInFailed("The answer is not from your provider.");
    const answer = await fetch(provider.token_endpoint, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "authorization_code",
        code: query.get("code") ?? "",
        code_verifier: pending.verifier,
        redirect_uri: redirectUri(),
        client_id: this.#oidc.client_id,
      }),
    });
    if (!answer.ok) throw new SignInFailed("The identity provider took back its word. Try again.");
    const issued = (await answer.json()) as { access_token: string; expires_in?: number; id_token?: string };
    const about = claims(issued.id_token ?? issued.access_token);
    const session: Session = {
      token: issued.access_token,
      expires_at: Date.now() + (issued.expires_in ?? 300) * 1000,
      person: { name: String(about.name ?? about.email ?? about.sub ?? "You"), subject: String(about.sub ?? "") },
    };
    // The next person must not get what this one typed or chose in this tab.
    const last = sessionStorage.getItem(LAST);
    if (last !== null && last !== session.person.subject) sessionStorage.clear();
    sessionStorage.setItem(LAST, session.person.subject);
    sessionStorage.setItem(SESSION, JSON.stringify(session));
    return pending.returnTo.startsWith(import.meta.env.BASE_URL) ? pending.returnTo : import.meta.env.BASE_URL;
  }

  async signOut(): Promise<void> {
    sessionStorage.clear();
    const home = location.origin + import.meta.env.BASE_URL;
    const provider = await this.#provider().catch(() => null);
    const query = new URLSearchParams({ client_id: this.#oidc.client_id, post_logout_redirect_uri: home });
    location.assign(provider?.end_session_endpoint ? `${provider.end_session_endpoint}?${query}` : home);
  }

  async #provider(): Promise<Provider> {
    if (!this.#oidc.issuer) throw new SignInFailed("No identity provider is set up.");
    const at = `${this.#oidc.issuer.replace(/\/+$/, "")}/.well-known/openid-configuration`;
    const answer = await fetch(at).catch(() => null);
    if (!answer?.ok) throw new SignInFailed("The identity provider does not answer.");
    const provider = (await answer.json()) as Provider;
    if (provider.issuer !== this.#oidc.issuer) throw new SignInFailed("The identity provider calls itself differently.");
    return provider;
  }
}

export function redirectUri(): string {
  return `${location.origin}${import.meta.env.BASE_URL}signed-in`;
}

function read<T>(name: string): T | null {
  try {
    return JSON.parse(sessionStorage.getItem(name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challenge(verifier: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Returns a token's claims, for showing names and links only. The gateway decides about permissions. */
export function claims(token: string): Record<string, unknown> {
  try {
    const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
    const bytes = Uint8Array.from(atob(part), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
