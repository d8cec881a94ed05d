/** Names of the Zoom accounts. A connection has only ids; Zoom is asked once for each, and only while the tab is open. */
import type { Api, Connection } from "./api";

export interface ZoomPerson {
  name: string;
  email: string;
}

const known = new Map<string, Promise<ZoomPerson | null>>();

/** The Zoom user behind a connection that works, or null when there is none or Zoom does not say. */
export function zoomPerson(api: Api, connection: Connection): Promise<ZoomPerson | null> {
  if (connection.kind !== "user" || connection.state === "pending" || connection.state === "disconnected") return Promise.resolve(null);
  const asked = known.get(connection.id) ?? ask(api, connection.id);
  known.set(connection.id, asked);
  return asked;
}

async function ask(api: Api, connection: string): Promise<ZoomPerson | null> {
  try {
    const user = await api.get<Record<string, string | undefined>>("/v2/users/me", undefined, { connection });
    const name = user.display_name || [user.first_name, user.last_name].filter(Boolean).join(" ");
    return { name: name || (user.email ?? ""), email: user.email ?? "" };
  } catch {
    known.delete(connection); // asked again on the next page
    return null;
  }
}
