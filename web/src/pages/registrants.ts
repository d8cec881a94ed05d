/** The registrants, and which of them may join. */
import type { Meeting, Registrant, Registrants } from "../api";
import type { Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { follow, orNone } from "../follow";
import { badge, busy, button, failure, isSessionEnd, section, shown } from "../ui";

export function registrants(place: Place, id: string, meeting: Meeting): HTMLElement {
  const { app, signal } = place;
  const list = h("div");
  const whole = section("Registrants", "registrants", list);
  if (meeting.settings?.approval_type === 2 || meeting.settings?.approval_type === undefined) {
    replace(list, h("p", { class: "quiet" }, "This meeting takes no registrations."));
    return whole;
  }
  const page = (status: string): Promise<Registrants | null> =>
    orNone(app.api.get<Registrants>(`/v2/meetings/${id}/registrants?status=${status}&page_size=300`, signal));
  const decide = async (action: string, who: Registrant): Promise<void> => {
    const registrants = [{ id: who.id, email: who.email }];
    try {
      await app.api.send("PUT", `/v2/meetings/${id}/registrants/status`, { action, registrants });
      announce(action === "approve" ? "Approved" : "Declined");
      await load(true);
    } catch (error) {
      if (!isSessionEnd(error)) list.prepend(failure(error));
    }
  };
  const show = ([waiting, approved, declined]: (Registrants | null)[]): Child => {
    const all = [...(waiting?.registrants ?? []), ...(approved?.registrants ?? []), ...(declined?.registrants ?? [])];
    if (all.length === 0) return h("p", { class: "quiet" }, "Nobody has registered yet.");
    const more = Boolean(waiting?.next_page_token || approved?.next_page_token || declined?.next_page_token);
    return [
      h("p", { class: "quiet" }, `${approved?.registrants.length ?? 0} may join, ${waiting?.registrants.length ?? 0} wait for an answer, ${declined?.registrants.length ?? 0} declined${more ? "; there are more at Zoom" : ""}.`),
      h("ul", { class: "plain" }, all.map((each) => registered(each, decide))),
    ];
  };
  const load = (again: boolean): Promise<void> =>
    shown(list, "registrants", signal, () => Promise.all([page("pending"), page("approved"), page("denied")]), show, { again });
  follow(place, `/meetings/${id}/registrations`, load);
  return whole;
}

function registered(who: Registrant, decide: (action: string, who: Registrant) => Promise<void>): HTMLElement {
  const name = `${who.first_name} ${who.last_name ?? ""}`.trim();
  const choice = (action: string, text: string): HTMLElement =>
    button(text, (event) => void busy(event.currentTarget as HTMLButtonElement, text, () => decide(action, who)), "small", { "aria-label": `${text} ${name}` });
  return h(
    "li",
    { class: "row slim" },
    h("span", { class: "two" }, name, h("span", { class: "quiet" }, who.email)),
    who.status === "pending" ? h("span", { class: "actions" }, choice("approve", "Approve"), choice("deny", "Decline")) : badge(who.status === "denied" ? "declined" : who.status, who.status === "denied" ? "bad" : "plain"),
  );
}
