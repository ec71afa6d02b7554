// Title bar. The book's title, the place in it, the neighbours, the theme, the keys, and the lab server's state.
import { Link } from "wouter";
import { useStore } from "zustand";
import { type LessonMeta, lesson, referenceId } from "../book.ts";
import { closeSheet, desk, foldWorkbench, openWorkbench } from "../desk.ts";
import { backToText } from "../reader/Sheet.tsx";
import { sideBySide, useMedia } from "../ui/hooks.ts";
import { Icon } from "../ui/Icon.tsx";
import { showKeys } from "./Keys.tsx";
import { ServerState } from "./ServerState.tsx";
import { ThemeSwitch } from "./ThemeSwitch.tsx";

export function Bar({ here }: { here: LessonMeta | null }) {
  const wide = useMedia(sideBySide);
  const sheet = useStore(desk, state => state.sheet) && Boolean(here?.lab) && !wide;
  return (
    <header className="bar">
      {sheet ? (
        <button type="button" className="bar-back" id={backToText} onClick={closeSheet}>
          <Icon name="back" />
          <span>Back to the </span>text
        </button>
      ) : (
        <Link href="/" className="bar-title" title="Contents">
          <span className="bar-long">The Socket </span>Workbook
        </Link>
      )}
      {here && <Position here={here} />}
      <span className="bar-space" />
      <Link
        href={`/${referenceId}`}
        className="icon"
        aria-label="All of workbook/net"
        title="All of workbook/net"
      >
        <Icon name="reference" />
      </Link>
      <ServerState />
      <ThemeSwitch />
      <button type="button" className="icon" aria-label="Keys" title="Keys (?)" onClick={showKeys}>
        <Icon name="help" />
      </button>
      {here?.lab && wide && <Fold />}
    </header>
  );
}

function Fold() {
  const folded = useStore(desk, state => state.folded);
  const said = folded ? "Open the workbench" : "Fold the workbench away";
  return (
    <button
      type="button"
      className="icon"
      aria-label={said}
      title={said}
      onClick={folded ? openWorkbench : foldWorkbench}
    >
      <Icon name={folded ? "unfold" : "fold"} />
    </button>
  );
}

/** The lesson's number as the contents have it, between its neighbours. */
function Position({ here }: { here: LessonMeta }) {
  return (
    <nav className="position" aria-label="Lessons">
      <Neighbour id={here.previous} name="Previous" sign="previous" keys="[" />
      <span className="position-words" title={`${here.chapter.title}: ${here.title}`}>
        <span className="sr">Lesson </span>
        {here.chapter.number}.{here.number}
      </span>
      <Neighbour id={here.next} name="Next" sign="next" keys="]" />
    </nav>
  );
}

interface NeighbourProps {
  id: string | null;
  name: string;
  sign: "previous" | "next";
  keys: string;
}

function Neighbour({ id, name, sign, keys }: NeighbourProps) {
  const to = id && lesson(id);
  if (!to)
    return (
      <span className="icon" data-off="" aria-hidden="true">
        <Icon name={sign} />
      </span>
    );
  return (
    <Link
      href={`/${id}`}
      className="icon"
      aria-label={`${name} lesson: ${to.title}`}
      title={`${to.title} (${keys})`}
    >
      <Icon name={sign} />
    </Link>
  );
}
