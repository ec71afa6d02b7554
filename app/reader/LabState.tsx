// Lab state. One line of sign and words, never colour alone.
import type { LabMeta } from "../book.ts";
import { useLabWords } from "./lab-words.ts";

export function LabState({ lab, meta }: { lab: string; meta: LabMeta }) {
  const { said, colour, running } = useLabWords(lab, meta);
  return (
    <span className={`lab-state ${colour}`}>
      {colour === "ready" && <span aria-hidden="true">✓ </span>}
      {said}
      {running && <span className="ready"> · {running}</span>}
    </span>
  );
}
