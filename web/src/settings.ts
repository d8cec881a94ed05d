/** The settings of this installation, from the file `settings.json` next to the app. Nothing in it is secret. */

export interface Settings {
  /** The gateway's address; empty means the app's own origin. */
  api_url: string;
  /** `parameters` are added to the authorize request: some providers require `audience` or `resource`. */
  oidc: { issuer: string; client_id: string; scope: string; parameters: Record<string, string> };
  /** The simulated Zoom's address; empty with the real one. */
  simulated_zoom: string;
  /** The guide's two names, for front ends that make their own link to Zoom; see docs/web.md. */
  VITE_ZOOM_CLIENT_ID: string;
  VITE_ZOOM_OAUTH_URL: string;
}

const env = import.meta.env as Record<string, string | undefined>;

export async function loadSettings(): Promise<Settings> {
  const answer = await fetch(`${import.meta.env.BASE_URL}settings.json`, { cache: "no-store" });
  if (!answer.ok) throw new Error(`settings.json: ${answer.status}`);
  const loaded = (await answer.json()) as Partial<Settings>;
  return {
    api_url: (loaded.api_url ?? "").replace(/\/+$/, ""),
    oidc: { issuer: "", client_id: "", scope: "openid", parameters: {}, ...loaded.oidc },
    simulated_zoom: (loaded.simulated_zoom ?? "").replace(/\/+$/, ""),
    VITE_ZOOM_CLIENT_ID: loaded.VITE_ZOOM_CLIENT_ID || (env.VITE_ZOOM_CLIENT_ID ?? ""),
    VITE_ZOOM_OAUTH_URL: loaded.VITE_ZOOM_OAUTH_URL || (env.VITE_ZOOM_OAUTH_URL ?? ""),
  };
}
