// Workspace sentences. English: why a file was not read or not saved, and what to do.

/** The text that is on the disk: null when there is no file. Its ETag is `""` then. */
type OnDisk = { text: string | null; etag: string };

/** Why the lab server refuses a request. */
export const fileRefusals = {
  "unknown-file": ({ lab, file, known }: { lab: string; file: string; known: string[] }) =>
    `The lab ${lab} has no file "${file}"; it has ${known.join(", ")}.`,
  "unfit-name": ({ file, most }: { file: string; most: number }) =>
    `A file cannot be named "${file}": use at most ${most} letters, digits, _, - and dots, with .ts, .js, .json, .txt, .md, .html, .css or .csv at the end.`,
  "too-many-files": ({ most }: { most: number }) =>
    `A lab's folder shows at most ${most} files here. Remove one, or make the file with another editor.`,
  "file-exists": ({ file }: { file: string }) =>
    `There is a file ${file} already: choose another name, or remove it first.`,
  "file-needed": ({ file }: { file: string }) =>
    `${file} is the lab's own file and cannot be removed or renamed. Reset puts its starter back.`,
  "file-removed": ({ path }: OnDisk & { path: string }) =>
    `${path} was removed. Save to make it anew, or reset the lab to begin again from its starter.`,
  "if-match-missing": ({ file }: { file: string }) =>
    `Say which text you replace: If-Match with the ETag that reading ${file} gave.`,
  "file-changed": ({ path, file, text, etag }: OnDisk & { path: string; file: string }) =>
    text === null
      ? `${path} was removed since you read it. Save with If-Match: ${etag} to make it anew.`
      : `${file} has changed on the disk since you read it. Here is what it holds now; put both together and save again.`,
  "unfit-text": ({ why }: { why: string }) => why,
  "read-only-file": ({ path }: { path: string }) =>
    `${path} is read-only. Make it writable with chmod u+w, then save again.`,
  "link-not-followed": ({ path }: { path: string }) =>
    `${path} is a symbolic link, or lies behind one; the lab server follows no links in the workspace. Put the file or the folder itself in its place.`,
  "storage-failed": ({ path, why }: { path: string; why: string }) => `${path}: ${why}.`,
  "workspace-unusable": ({ path, why }: { path: string; why: string }) =>
    `The workspace ${path} cannot be used: ${why}.`,
};

export const en = {
  ...fileRefusals,
  "folder-crowded": ({ path, most }: { path: string; most: number }) =>
    `${path} holds more files than the page shows: it shows the lab's own and at most ${most} others. Look with ls there, and remove what a program has left.`,
};
