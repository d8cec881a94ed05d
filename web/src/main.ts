/** Starts the app: settings, session, and a page for the address. */
import "./style.css";
import { Api, type Connection } from "./api";
import { BASE, to, type App, type Page } from "./app";
import { mayOperate } from "./console/operator-api";
import { announce, h, replace } from "./dom";
import { zoomPerson } from "./people";
import { connect, connected } from "./pages/connect";
import { connections } from "./pages/connections";
import { join } from "./pages/join";
import { meeting } from "./pages/meeting";
import { editMeeting, newMeeting } from "./pages/meeting-form";
import { meetings } from "./pages/meetings";
import { signIn, signedIn } from "./pages/sign-in";
import { Sessions } from "./session";
import { loadSettings } from "./settings";
import { button, failure, heading, link, loading, notice } from "./ui";

/** The most accounts in the chooser whose names are read; an operator may see hundreds. */
const NAMED = 8;

const ROUTES: [RegExp, Page, "open" | "signed in"][] = [
  [/^signed-in$/, signedIn, "open"],
  [/^$/, meetings, "signed in"],
  [/^connect$/, connect, "signed in"],
  [/^connected$/, connected, "signed in"],
  [/^connections$/, connections, "signed in"],
  [/^console$/, later("Console", async () => (await import("./pages/console")).operatorsConsole), "open"],
  [/^meetings\/new$/, newMeeting, "signed in"],
  [/^meetings\/(?<id>\d+)$/, meeting, "signed in"],
  [/^meetings\/(?<id>\d+)\/edit$/, editMeeting, "signed in"],
  [/^meetings\/(?<id>\d+)\/join$/, join, "signed in"],
  [/^meetings\/(?<id>\d+)\/attendance$/, picture("attendancePicture"), "signed in"],
  [/^meetings\/(?<id>\d+)\/attendance\/matrix$/, picture("seriesPicture"), "signed in"],
  [/^archive$/, later("Recordings", async () => (await import("./pages/archive")).archive), "signed in"],
  [/^archive\/policy$/, later("What is archived", async () => (await import("./pages/archive-policy")).archivePolicy), "signed in"],
  [/^archive\/(?<id>rec_[0-9a-f]+)$/, later("Recording", async () => (await import("./pages/archive-recording")).archivedRecording), "signed in"],
  [/^jobs$/, later("Jobs", async () => (await import("./pages/jobs")).jobs), "signed in"],
  [/^jobs\/new$/, later("New job", async () => (await import("./pages/job-new")).newJob), "signed in"],
  [/^jobs\/(?<id>job_[0-9a-f]+)$/, later("Job", async () => (await import("./pages/job")).job), "signed in"],
  [/^subscriptions$/, later("Subscriptions", async () => (await import("./pages/subscriptions")).subscriptions), "signed in"],
  [/^subscriptions\/new$/, later("New subscription", async () => (await import("./pages/subscription-form")).newSubscription), "signed in"],
  [/^subscriptions\/(?<id>sub_[0-9a-f]+)$/, later("Subscription", async () => (await import("./pages/subscription")).subscription), "signed in"],
  [/^subscriptions\/(?<id>sub_[0-9a-f]+)\/edit$/, later("Change the subscription", async () => (await import("./pages/subscription-form")).editSubscription), "signed in"],
];

const NAVIGATION = [["", "Meetings"], ["archive", "Recordings"], ["jobs", "Jobs"], ["subscriptions", "Subscriptions"], ["connections", "Connections"]] as const;

const view = document.getElementById("view") as HTMLElement;
const top = document.getElementById("top") as HTMLElement;

async function start(): Promise<void> {
  const settings = await loadSettings();
  const sessions = new Sessions(settings);
  const api = new Api(settings, sessions, () => show({ ended: true }));
  let leaving = new AbortController();

  const app: App = {
    api,
    sessions,
    settings,
    go(path, { replace: replacing = false } = {}) {
      history[replacing ? "replaceState" : "pushState"](null, "", to(path));
      show({ moved: true });
    },
  };

  function show({ moved = false, ended = false } = {}): void {
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const path = location.pathname.slice(BASE.length).replace(/\/$/, "");
    const found = ROUTES.map(([pattern, page, who]) => ({ match: pattern.exec(path), page, who })).find((each) => each.match);
    const place = { app, view, params: { ...found?.match?.groups }, query: new URLSearchParams(location.search), signal };
    replace(view);
    banner(app);
    const page = found ? (found.who === "open" || (sessions.current() && !ended) ? found.page : signIn(ended || sessions.lapsed())) : nowhere;
    Promise.resolve(page(place)).catch((error: unknown) => {
      if (!signal.aborted) replace(view, failure(error));
    });
    if (!moved && !ended) return;
    // A new page begins at its heading, also for screen readers.
    window.scrollTo(0, 0);
    const title = view.querySelector("h1");
    (title ?? view).focus({ preventScroll: true });
    announce(document.title);
  }

  window.addEventListener("popstate", () => show({ moved: true }));
  document.addEventListener("click", (event) => {
    const anchor = (event.target as Element).closest("a");
    if (!anchor || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const url = new URL(anchor.href);
    if (url.origin !== location.origin || !url.pathname.startsWith(BASE) || anchor.target || anchor.hash) return;
    event.preventDefault();
    history.pushState(null, "", url);
    show({ moved: true });
  });
  show();
}

function banner(app: App): void {
  const session = app.sessions.current();
  const here = location.pathname;
  const operates = mayOperate(app.api);
  const item = (path: string, text: string): HTMLElement =>
    h("a", { href: to(path), "aria-current": (path ? here.startsWith(to(path)) : here === BASE || here.startsWith(to("meetings"))) ? "page" : null }, text);
  replace(
    top,
    h("a", { href: BASE, class: "brand" }, h("img", { src: to("icon.svg"), alt: "", width: 28, height: 28 }), h("span", {}, "Zoom gateway")),
    (session || operates) && h("nav", { "aria-label": "Main" }, session && NAVIGATION.map(([path, text]) => item(path, text)), operates && item("console", "Console")),
    session &&
      h("div", { class: "person" }, here !== to("connected") && accountChooser(app), h("span", {}, session.person.name), button("Sign out", () => void app.sessions.signOut(), "link")),
  );
}

/** Chooses one of several Zoom accounts. The choice is stored for this tab. */
function accountChooser(app: App): HTMLElement {
  const holder = h("span");
  const former = app.api.connection;
  void app.api
    .get<{ connections: Connection[] }>("/connections?page_size=100")
    .then(({ connections: all }) => {
      const usable = all.filter((each) => each.state !== "pending" && each.state !== "disconnected");
      if (app.api.connection !== former) return; // the person has chosen meanwhile
      if (!usable.some((each) => each.id === former)) app.api.use(usable.length > 1 ? (usable[0]?.id ?? null) : null);
      if (usable.length > 1) replace(holder, chooser(app, usable));
      // The page has called the gateway without an account, so it loads again.
      if (app.api.connection !== former) window.dispatchEvent(new PopStateEvent("popstate"));
    })
    .catch(() => undefined); // the page itself shows the error
  return holder;
}

function chooser(app: App, usable: Connection[]): HTMLElement[] {
  const choose = (event: Event): void => {
    app.api.use((event.target as HTMLSelectElement).value);
    app.go("");
  };
  const options = usable.map((each, index) => {
    const id = (each.zoom_user_id ?? each.zoom_account_id).slice(0, 8);
    const option = h("option", { value: each.id, selected: each.id === app.api.connection }, `Account ${index + 1} (${id})`);
    if (index < NAMED) void zoomPerson(app.api, each).then((person) => person && (option.textContent = person.name));
    return option;
  });
  return [h("label", { for: "account", class: "unseen" }, "Zoom account"), h("select", { id: "account", onchange: choose }, options)];
}

/** A page with code of its own, which the first page does not need. */
function later(title: string, load: () => Promise<Page>): Page {
  return async (place) => {
    replace(place.view, heading(title), loading("the page"));
    const page = await load();
    if (place.signal.aborted) return;
    const reading = place.view.contains(document.activeElement);
    const done = page(place);
    if (reading) place.view.querySelector("h1")?.focus({ preventScroll: true }); // the page has replaced its heading
    await done;
  };
}

/** The pictures of attendance come with code of their own, which the first page does not need. */
function picture(which: "attendancePicture" | "seriesPicture"): Page {
  return async (place) => {
    replace(place.view, heading("Attendance", link(`meetings/${place.params.id}`, "Back to the meeting", "button")));
    const pages = await import("./pages/attendance-picture");
    if (!place.signal.aborted) pages[which](place);
  };
}

const nowhere: Page = ({ view: place }) => {
  replace(place, heading("There is no such page"), h("p", {}, link("", "Go to your meetings")));
};

start().catch(() => {
  replace(view, heading("The app cannot start"), notice("bad", "Its settings could not be read.", h("p", {}, button("Try again", () => location.reload()))));
});
