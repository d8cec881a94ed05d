/** Makes a job and sends its file. */
import { ApiError, type Api } from "../api";
import type { Job } from "./model";

export interface Asked {
  body: Record<string, unknown>;
  /** Null for a job without a file: it plans its rows itself, or has them in its body. */
  file: Blob | null;
  /** A repetition with the same key is the same job. */
  key: string;
}

/** Files of the jobs that this tab has made, for the real run after a dry run. They are dropped with the tab. */
const asked = new Map<string, Asked>();

export function askedFor(job: string): Asked | undefined {
  return asked.get(job);
}

/** Makes the job, or finds it when it was made before, and sends its file. `onSent` receives the share that was sent. */
export async function startJob(api: Api, wanted: Asked, onSent: (share: number) => void = () => undefined): Promise<Job> {
  const body = wanted.file ? { ...wanted.body, file: {} } : wanted.body;
  const job = await api.send<Job>("POST", "/jobs", body, { idempotencyKey: wanted.key });
  if (wanted.file && job.upload) await put(job.upload.url, wanted.file, onSent);
  asked.set(job.id, wanted);
  return job;
}

/** Sends with XMLHttpRequest, because `fetch` does not report progress. */
function put(url: string, file: Blob, onSent: (share: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const failed = (): void => reject(new ApiError("The file could not be sent. The job waits for it for an hour: try again.", request.status, "upload_failed"));
    request.open("PUT", url);
    request.upload.onprogress = ({ loaded, total }) => onSent(total ? loaded / total : 1);
    request.onload = () => (request.status < 300 ? resolve() : failed());
    request.onerror = failed;
    request.send(file);
  });
}
