// The one bar: which book, where in it, the neighbours, the theme, the keys, and how the lab server stands.
import { Link } from "wouter";
import { useStore } from "zustand";
import { contents, type LessonMeta, lesson } from "../book.ts";
import { desk, foldWorkbench, openWorkbench } from "../desk.ts";
import { sideBySide, useMedia } from "./hooks.ts";
import { Icon } from "./Icon.tsx";
import { showKeys } from "./Keys.tsx";
import { ServerState } from "./ServerState.tsx";
import { ThemeSwitch } from "./ThemeSwitch.tsx";

export function Bar({ here }: { here: LessonMeta | null }) {
  const wide = useMedia(sideBySide);
  return (
    <header className="bar">
      <Link href="/" className="bar-title" title="Contents">
        <span className="bar-long">The Socket </span>Workbook
      </Link>
      {here && <Position here={here} />}
      <span className="bar-space" />
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

function Position({ here }: { here: LessonMeta }) {
  const chapters = contents();
  const lessons = chapters.find(({ id }) => id === here.chapter.id)?.lessons ?? [];
  return (
    <nav className="position" aria-label="Lessons">
      <Neighbour id={here.previous} name="Previous" sign="previous" keys="[" />
      <span className="position-words" title={`${here.chapter.title}: ${here.title}`}>
        <span className="sr">Chapter </span>
        {here.chapter.number} of {chapters.length}
        <span aria-hidden="true"> · </span>
        <span className="sr">, lesson </span>
        {lessons.findIndex(({ id }) => id === here.id) + 1} of {lessons.length}
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
