/** The recordings, with links to Zoom's player. */
import type { Recordings } from "../api";
import type { Place } from "../app";
import { h, type Child } from "../dom";
import { bytes, kindName } from "../files";
import { follow, orNone } from "../follow";
import { moment } from "../time";
import { section, shown } from "../ui";

export function recordings(place: Place, id: string): HTMLElement {
  const { app, signal } = place;
  const list = h("div");
  const load = (again: boolean): Promise<void> =>
    shown(list, "recordings", signal, () => orNone(app.api.get<Recordings>(`/v2/meetings/${id}/recordings`, signal)), recorded, { again });
  follow(place, `/meetings/${id}/recordings`, load);
  return section("Recordings", "recordings", list);
}

function recorded(found: Recordings | null): Child {
  const files = (found?.recording_files ?? []).filter((file) => file.status !== "processing");
  if (files.length === 0) return h("p", { class: "quiet" }, "There is no recording. Zoom may take a while after a meeting.");
  return [
    h(
      "ul",
      { class: "plain" },
      files.map((file) =>
        h(
          "li",
          { class: "row slim" },
          h(
            "span",
            { class: "two" },
            kindName(file.recording_type ?? file.file_type ?? "file"),
            h("span", { class: "quiet" }, [file.recording_start && moment(file.recording_start), file.file_size !== undefined && bytes(file.file_size)].filter(Boolean).join(" · ")),
          ),
          file.play_url && h("a", { href: file.play_url, target: "_blank", rel: "noopener noreferrer", "aria-label": `Open ${file.file_type ?? "recording"} at Zoom` }, "Open at Zoom"),
        ),
      ),
    ),
    found?.password && h("p", { class: "quiet" }, "Zoom asks viewers for a passcode: ", h("code", {}, found.password)),
  ];
}
