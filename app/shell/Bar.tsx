// Title bar. The book's title, the place in it, the neighbours, the theme, the keys, and the lab server's state.
import { Link } from "wouter";
import { useStore } from "zustand";
import { contents, type LessonMeta, referenceId } from "../book.ts";
import { closeSheet, desk, foldWorkbench, openWorkbench } from "../desk.ts";
import { backToText } from "../reader/Sheet.tsx";
import { type BookPage, neighboursOf } from "../reading-order.ts";
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
  const { previous, next } = neighboursOf(contents(), here.id);
  return (
    <nav className="position" aria-label="Pages">
      <Neighbour page={previous} name="Previous" sign="previous" keys="[" />
      <span className="position-words" title={`${here.chapter.title}: ${here.title}`}>
        <span className="sr">Lesson </span>
        {here.chapter.number}.{here.number}
      </span>
      <Neighbour page={next} name="Next" sign="next" keys="]" />
    </nav>
  );
}

interface NeighbourProps {
  page: BookPage | null;
  name: string;
  sign: "previous" | "next";
  keys: string;
}

function Neighbour({ page, name, sign, keys }: NeighbourProps) {
  if (!page)
    return (
      <span className="icon" data-off="" aria-hidden="true">
        <Icon name={sign} />
      </span>
    );
  return (
    <Link
      href={`/${page.id}`}
      className="icon"
      aria-label={`${name} page: ${page.title}`}
      title={`${page.title} (${keys})`}
    >
      <Icon name={sign} />
    </Link>
  );
}
