// Call words. The words of a call; a click on one adds it to the filter. They are for the pointer: the filter's field
// offers the same to the keyboard.
import type { ReactNode } from "react";
import { ask } from "./ask.ts";
import { descriptorWord, type Piece } from "./compact.ts";

export function Pieces({ pieces }: { pieces: Piece[] }) {
  // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a call never change.
  return pieces.map((piece, i) => <One key={i} piece={piece} />);
}

function One({ piece }: { piece: Piece }) {
  if (typeof piece === "string") return piece;
  if ("peer" in piece) return <Peer peer={piece.peer} />;
  const { fd, who } = piece;
  const word = who ? descriptorWord(who) : "";
  return (
    <>
      <Word word={`fd:${fd}`}>{fd}</Word>
      {word !== "" && <Word word={who?.peer ?? `fd:${fd}`} className="who">{` ${word}`}</Word>}
    </>
  );
}

/** The port alone, where there is little room. */
function Peer({ peer }: { peer: string }) {
  const port = peer.lastIndexOf(":");
  return (
    <Word word={peer}>
      <span className="host">{peer.slice(0, port)}</span>
      {peer.slice(port)}
    </Word>
  );
}

/** A word for the filter. */
export function Word({
  word,
  className = "",
  children = word,
}: {
  word: string;
  className?: string;
  children?: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: see above.
    // biome-ignore lint/a11y/noStaticElementInteractions: see above.
    <span className={`askable ${className}`} title={`Filter: ${word}`} onClick={event => ask(event, word)}>
      {children}
    </span>
  );
}

export const Name = ({ name }: { name: string }) => (
  <b>
    <Word word={name} />
  </b>
);
