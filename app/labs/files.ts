// The lab's files over HTTP, where ETag and If-Match are at home. Nothing here rejects: what cannot be done comes
// back as a sentence for the reader.
import {
  type LabId,
  type LabSummary,
  limits,
  type Problem,
  type RunId,
  type VisitAnswer,
  type VisitBody,
} from "../../server-labs/protocol.ts";

export interface FileText {
  text: string;
  etag: string;
}
/** Somebody else has saved since: what is there now. */
export interface Conflict {
  conflict: FileText;
}

export const away =
  "The lab server is not running. Your text is safe in this browser; to run labs, start it with npm start in the workbook's folder.";
export const locked = "Open the link printed in the terminal: this page has no key to the lab server.";

/** Said here, because what is longer than a message may be never reaches who would say it. */
export function tooLong(text: string): string | null {
  const { length } = new TextEncoder().encode(text);
  if (length <= limits.fileBytes) return null;
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024).toLocaleString("en")} KB`;
  return `A text of ${kilobytes(length)} is too long: a lab takes at most ${kilobytes(limits.fileBytes)}.`;
}

/** The HTTP half of the lab server. */
export class Files {
  readonly #fetch: typeof fetch;
  readonly #token: () => string | null;

  constructor(fetcher: typeof fetch, token: () => string | null) {
    this.#fetch = fetcher;
    this.#token = token;
  }

  async read(lab: LabId, file: string): Promise<FileText | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/files/${file}`);
    if ("problem" in answer) return answer;
    return this.#told(answer, () => fileOf(answer));
  }

  /** @param etag the one that was read: what has been saved since is not overwritten. */
  async save(
    lab: LabId,
    file: string,
    text: string,
    etag: string,
  ): Promise<{ etag: string } | Conflict | Problem> {
    const long = tooLong(text);
    if (long) return { problem: long };
    const answer = await this.#ask(`/api/labs/${lab}/files/${file}`, {
      method: "PUT",
      headers: {
        "content-type": "application/json",
        "if-match": etag,
      },
      body: JSON.stringify({ text }),
    });
    if ("problem" in answer) return answer;
    if (answer.status !== 412)
      return this.#told(answer, async () => ({ etag: answer.headers.get("etag") ?? "" }));
    const theirs = await this.read(lab, file);
    return "problem" in theirs ? theirs : { conflict: theirs };
  }

  /** Puts the starter back; what was there is kept in the workspace's history. */
  async reset(lab: LabId, file: string): Promise<FileText | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/reset`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    if ("problem" in answer) return answer;
    return this.#told(answer, () => this.read(lab, file));
  }

  async labs(): Promise<LabSummary[] | Problem> {
    const answer = await this.#ask("/api/labs");
    if ("problem" in answer) return answer;
    return this.#told(answer, async () => ((await answer.json()) as { labs: LabSummary[] }).labs);
  }

  /** Sends clients against a run; what they do are events of it. */
  async visit(run: RunId, body: VisitBody): Promise<VisitAnswer | Problem> {
    const answer = await this.#ask(`/api/runs/${run}/visits`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if ("problem" in answer) return answer;
    return this.#told(answer, async () => (await answer.json()) as VisitAnswer);
  }

  /** Ends a visit, or all of a run. */
  async leave(run: RunId, visit?: string): Promise<{ leaving: number } | Problem> {
    const one = visit === undefined ? "" : `/${visit}`;
    const answer = await this.#ask(`/api/runs/${run}/visits${one}`, { method: "DELETE" });
    if ("problem" in answer) return answer;
    return this.#told(answer, async () => (await answer.json()) as { leaving: number });
  }

  /** Whether this token opens the door, or nobody is there. */
  async probe(token: string): Promise<"open" | "locked" | "away"> {
    try {
      const { status } = await this.#fetch("/api/labs", { headers: { authorization: `Bearer ${token}` } });
      // A proxy (Vite's, in development) answers 5xx for a lab server that is not there.
      return status === 401 || status === 403 ? "locked" : status < 500 ? "open" : "away";
    } catch {
      return "away";
    }
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response | Problem> {
    const token = this.#token();
    if (!token) return { problem: locked };
    try {
      return await this.#fetch(path, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${token}` },
        cache: "no-store",
      });
    } catch {
      return { problem: away };
    }
  }

  /** What the answer holds, or the sentence that the lab server gave instead. */
  async #told<T>(answer: Response, read: () => Promise<T>): Promise<T | Problem> {
    try {
      if (answer.ok) return await read();
      if (answer.status >= 500 && !answer.headers.get("content-type")?.includes("json"))
        return { problem: away };
      const { problem } = (await answer.json()) as Partial<Problem>;
      return { problem: problem ?? `The lab server answered ${answer.status}.` };
    } catch {
      return { problem: `The lab server's answer (${answer.status}) could not be read.` };
    }
  }
}

async function fileOf(answer: Response): Promise<FileText> {
  const etag = answer.headers.get("etag") ?? "";
  if (!answer.headers.get("content-type")?.includes("json")) {
    // Response.text() would take a byte order mark away, and the next save would change the student's file.
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(await answer.arrayBuffer());
    return { text, etag };
  }
  return { text: ((await answer.json()) as { text: string }).text, etag };
}
