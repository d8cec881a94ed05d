/** Zoom's Meeting SDK, component view. It has three megabytes, so only the page that joins loads it. */
import type { Admission } from "./api";
import { to } from "./app";

declare const __ZOOM_SDK_VERSION__: string;

type Sdk = typeof import("@zoom/meetingsdk/embedded").default;

let loading: Promise<Sdk> | null = null;
const JOIN_SECONDS = 45;

/** Texts for Zoom's error codes: https://developers.zoom.us/docs/meeting-sdk/web/error-codes/ */
const MEANING: Record<number, string> = {
  3000: "The meeting has ended.",
  3001: "Zoom knows no such meeting.",
  3004: "The passcode is wrong.",
  3008: "The meeting has not started yet. Try again when the host is there.",
  3099: "You have to register for this meeting first.",
  3265: "Zoom did not accept the token for this meeting.",
};

export class SdkRefused extends Error {
  constructor(
    message: string,
    readonly reason: string,
  ) {
    super(message);
  }
}

export function loadSdk(): Promise<Sdk> {
  loading ??= import("@zoom/meetingsdk/embedded").then((module) => module.default);
  loading.catch(() => (loading = null));
  return loading;
}

/** Enters the meeting inside `root`. Returns when the person is in. Throws SdkRefused. */
export async function joinWith(
  root: HTMLElement,
  admission: Admission,
  person: { name: string; passcode: string; signal: AbortSignal },
): Promise<void> {
  const sdk = await loadSdk().catch(() => {
    throw new SdkRefused("Zoom's meeting client could not be loaded.", "no network?");
  });
  const client = sdk.createClient();
  person.signal.addEventListener("abort", () => {
    void Promise.resolve(client.leaveMeeting()).catch(() => undefined);
    sdk.destroyClient();
  });
  try {
    await within(
      JOIN_SECONDS,
      (async () => {
        await client.init({
          zoomAppRoot: root,
          language: "en-US",
          assetPath: location.origin + to(`zoom-sdk/${__ZOOM_SDK_VERSION__}/av`),
          patchJsMedia: true,
          leaveOnPageUnload: true,
        });
        await client.join({
          signature: admission.signature,
          meetingNumber: admission.meeting_number,
          userName: person.name,
          password: admission.password ?? person.passcode,
          ...(admission.zak ? { zak: admission.zak } : {}),
          ...(admission.obf ? { obfToken: admission.obf } : {}),
        });
      })(),
    );
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): SdkRefused {
  const said = (error ?? {}) as { errorCode?: number; reason?: string; type?: string };
  const meaning = said.errorCode === undefined ? undefined : MEANING[said.errorCode];
  const reason = said.reason ?? said.type ?? (error instanceof Error ? error.message : "none given");
  return new SdkRefused(meaning ?? "Zoom did not let you in.", said.errorCode === undefined ? reason : `${reason} (${said.errorCode})`);
}

function within<T>(seconds: number, work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_, reject) => setTimeout(() => reject(new SdkRefused("Zoom does not answer.", "timeout")), seconds * 1000)),
  ]);
}
