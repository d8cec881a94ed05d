/** Plays a recording. Its links expire within minutes; at an expired one the player gets a new link and continues. */
import { fileName, type ArchivedFile, type Part } from "./model";
import { h, isWebAddress, replace } from "../dom";
import { hour } from "../time";
import { button, notice } from "../ui";

export interface Player {
  element: HTMLElement;
  /** Plays from a time of a part, in milliseconds. */
  seek(part: number, milliseconds: number): void;
  /** Adds files that have arrived meanwhile. Playback continues. */
  update(parts: Part[]): void;
}

export interface Surroundings {
  /** Reads the recording again and returns its links by file. */
  renew: () => Promise<Map<string, string>>;
  /** Receives the player's position. */
  onTime: (part: number, milliseconds: number) => void;
  /** Shows a text where a file does not play. */
  unplayable: string;
}

export function player({ renew, onTime, unplayable }: Surroundings): Player {
  const video = h("video", { controls: true, crossorigin: "anonymous", preload: "metadata", playsinline: true, "aria-label": "The recording" });
  const trouble = h("div");
  const choice = h("div", { class: "pair" });
  const element = h("div", { class: "player" }, choice, video, trouble);
  let parts: Part[] = [];
  let file: ArchivedFile | null = null;
  let part = 0;
  let at = 0;
  let wanted = false;
  let fresh = false;
  let renewing = false;
  let links = new Map<string, string>();

  function open(next: ArchivedFile, from: number, plays: boolean): void {
    file = next;
    [at, wanted] = [from, plays];
    replace(trouble);
    const address = links.get(next.id);
    if (!address || !isWebAddress(address)) return say();
    video.className = next.kind === "audio" ? "sound" : "";
    video.src = address;
  }

  async function failed(): Promise<void> {
    if (!file || renewing) return;
    if (fresh) return say();
    fresh = renewing = true; // until playback starts, another failure is not the link's
    try {
      links = await renew();
      renewing = false;
      open(file, at, wanted);
    } catch {
      renewing = false;
      say();
    }
  }

  function say(): void {
    const again = button("Try again", () => {
      fresh = false;
      void failed();
    });
    replace(trouble, notice("warn", "This file does not play here.", h("p", {}, unplayable), again));
  }

  video.addEventListener("loadedmetadata", () => {
    if (at > 0) video.currentTime = at;
    if (wanted) video.play().catch(() => undefined); // a browser may want a click first
  });
  video.addEventListener("error", () => void failed());
  video.addEventListener("playing", () => [fresh, wanted] = [false, true]);
  video.addEventListener("pause", () => {
    if (!video.error) wanted = false;
  });
  video.addEventListener("ended", () => play(part + 1, 0, true));
  video.addEventListener("seeking", () => {
    if (video.currentTime > 0) at = video.currentTime;
  });
  video.addEventListener("timeupdate", () => {
    if (video.error || video.readyState < HTMLMediaElement.HAVE_METADATA) return;
    at = video.currentTime;
    onTime(part, at * 1000);
  });

  function choose(): void {
    const media = parts[part]?.media ?? [];
    const select = (id: string, label: string, options: HTMLOptionElement[], chosen: (index: number) => void): HTMLElement =>
      h("div", { class: "field" }, h("label", { for: id }, label), h("select", { id, onchange: (event: Event) => chosen((event.target as HTMLSelectElement).selectedIndex) }, options));
    replace(
      choice,
      parts.length > 1 &&
        select("part", "Part", parts.map((each, index) => h("option", { selected: index === part }, `Part ${index + 1}, from ${hour(each.begins)}`)), (index) => play(index, 0, !video.paused)),
      media.length > 1 &&
        select("view", "View", media.map((each) => h("option", { selected: each.id === file?.id }, fileName(each))), (index) => {
          const next = media[index];
          if (next) open(next, at, !video.paused);
        }),
    );
  }

  function play(index: number, from: number, plays: boolean): void {
    const media = parts[index]?.media ?? [];
    const next = media.find((each) => each.recording_type === file?.recording_type) ?? media[0];
    if (!next) return;
    part = index;
    open(next, from, plays);
    choose();
  }

  return {
    element,
    seek(index, milliseconds) {
      const seconds = milliseconds / 1000;
      if (index !== part || !file) return play(index, seconds, true);
      [at, wanted] = [seconds, true];
      // Without metadata, the file is still loading. It starts at this time when it has loaded.
      if (video.error) {
        fresh = false; // the person asks for it
        void failed();
      } else if (video.readyState >= HTMLMediaElement.HAVE_METADATA) {
        video.currentTime = seconds;
        video.play().catch(() => undefined);
      }
    },
    update(found) {
      links = new Map(found.flatMap(({ media }) => media.flatMap((each): [string, string][] => (each.url ? [[each.id, each.url]] : []))));
      const same = JSON.stringify(found.map(ids)) === JSON.stringify(parts.map(ids));
      parts = found;
      if (!file) play(0, 0, false);
      else if (!same) {
        part = Math.max(0, parts.findIndex((each) => each.media.some((one) => one.id === file?.id)));
        choose();
      }
    },
  };
}

function ids(part: Part): string[] {
  return part.media.map((each) => each.id);
}
