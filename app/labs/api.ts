// HTTP client. The lab's files, visits and resets, with ETag and If-Match.
// No method rejects: a failure comes back as a sentence for the reader.
import {
  type LabId,
  type LabSummary,
  limits,
  type Problem,
  type RunId,
  type Statement,
  sentence,
  type VisitAnswer,
  type VisitBody,
} from "../../server-labs/protocol.ts";
import type { Handshake, Unproven } from "./handshake.ts";

export interface FileText {
  text: string;
  etag: string;
}
/** The file was saved since by another page or editor: the text that is there now. */
export interface Conflict {
  conflict: FileText;
}

export const away =
  "The lab server is not running. Your text is safe in this browser; to run labs, start it with npm start in the workbook's folder.";

/** Why the page sends nothing, and what the reader can do. */
export const whyUnproven: Record<Unproven, string> = {
  away,
  locked: "Open the link printed in the terminal: this page has no key to the lab server.",
  "old-link":
    "This link is from an earlier start of the lab server. Open the newest link printed in the terminal; npm start prints it again.",
  unproven:
    "The program that answers at this address did not prove that it is your lab server: the page sends it nothing. Open the newest link printed in the terminal; npm start prints it again.",
};

/** Judged in the page, because the lab server closes the connection of a message that is too long. */
export function tooLongProblem(text: string): string | null {
  const { length } = new TextEncoder().encode(text);
  if (length <= limits.fileBytes) return null;
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024).toLocaleString("en")} KB`;
  return `A text of ${kilobytes(length)} is too long: a lab takes at most ${kilobytes(limits.fileBytes)}.`;
}

/** The HTTP half of the lab server. */
export class LabApi {
  readonly #fetch: typeof fetch;
  readonly #handshake: Handshake;

  constructor(fetcher: typeof fetch, handshake: Handshake) {
    this.#fetch = fetcher;
    this.#handshake = handshake;
  }

  async read(lab: LabId, file: string): Promise<FileText | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/files/${file}`);
    if ("problem" in answer) return answer;
    return this.#read(answer, () => fileOf(answer));
  }

  /** @param etag the one that was read: a text that was saved since is not overwritten */
  async save(
    lab: LabId,
    file: string,
    text: string,
    etag: string,
  ): Promise<{ etag: string } | Conflict | Problem> {
    const long = tooLongProblem(text);
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
      return this.#read(answer, async () => ({ etag: answer.headers.get("etag") ?? "" }));
    const theirs = await this.read(lab, file);
    return "problem" in theirs ? theirs : { conflict: theirs };
  }

  /** The names of the files in a lab's folder; the file that runs is the first. A sentence where there are more. */
  async files(lab: LabId): Promise<{ names: string[]; crowded: string | null } | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}`);
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => {
      const { files, crowded } = (await answer.json()) as LabSummary;
      return { names: files.map(({ file }) => file), crowded: crowded ? sentence(crowded) : null };
    });
  }

  /** Removes a file that the student made, whatever its text; a copy is kept in the workspace's history. */
  async remove(lab: LabId, file: string): Promise<{ kept: string } | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/files/${file}`, {
      method: "DELETE",
      headers: { "if-match": "*" },
    });
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => (await answer.json()) as { kept: string });
  }

  /** Gives a file that the student made another name, whatever its text; its history goes with it. */
  async rename(lab: LabId, file: string, to: string): Promise<{ etag: string } | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/files/${file}/rename`, {
      method: "POST",
      headers: { "content-type": "application/json", "if-match": "*" },
      body: JSON.stringify({ to }),
    });
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => (await answer.json()) as { etag: string });
  }

  /** Puts the starter back; what was there is kept in the workspace's history. */
  async reset(lab: LabId, file: string): Promise<FileText | Problem> {
    const answer = await this.#ask(`/api/labs/${lab}/reset`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ file }),
    });
    if ("problem" in answer) return answer;
    return this.#read(answer, () => this.read(lab, file));
  }

  async labs(): Promise<LabSummary[] | Problem> {
    const answer = await this.#ask("/api/labs");
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => ((await answer.json()) as { labs: LabSummary[] }).labs);
  }

  /** Sends clients against a run; what they do are events of it. */
  async visit(run: RunId, body: VisitBody): Promise<VisitAnswer | Problem> {
    const answer = await this.#ask(`/api/runs/${run}/visits`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => (await answer.json()) as VisitAnswer);
  }

  /** Ends a visit, or all of a run. */
  async leave(run: RunId, visit?: string): Promise<{ leaving: number } | Problem> {
    const one = visit === undefined ? "" : `/${visit}`;
    const answer = await this.#ask(`/api/runs/${run}/visits${one}`, { method: "DELETE" });
    if ("problem" in answer) return answer;
    return this.#read(answer, async () => (await answer.json()) as { leaving: number });
  }

  async #ask(path: string, init: RequestInit = {}): Promise<Response | Problem> {
    const answer = await this.#askOnce(path, init);
    // The bearer is of an earlier start: the lab server was started again, and the socket has not reported its end yet.
    const outdated = answer instanceof Response && (answer.status === 401 || answer.status === 429);
    if (!outdated) return answer;
    this.#handshake.forget();
    return this.#askOnce(path, init);
  }

  async #askOnce(path: string, init: RequestInit): Promise<Response | Problem> {
    const admission = await this.#handshake.admit();
    if ("refused" in admission) return { problem: whyUnproven[admission.refused] };
    try {
      return await this.#fetch(path, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${admission.bearer}` },
        cache: "no-store",
      });
    } catch {
      this.#handshake.forget();
      return { problem: away };
    }
  }

  /** What the answer holds, or the problem that the lab server answered. */
  async #read<T>(answer: Response, read: () => Promise<T>): Promise<T | Problem> {
    try {
      if (answer.ok) return await read();
      if (answer.status >= 500 && !answer.headers.get("content-type")?.includes("json"))
        return { problem: away };
      const { problem, ...statement } = (await answer.json()) as Partial<Problem>;
      // The lab server's own sentence is for a shell: the page makes one from the statement.
      if (statement.code !== undefined) return { problem: sentence(statement as Statement) };
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
