// Contents page. What this book is, where the reader was, and every lesson with the state of its lab.
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { useStore } from "zustand";
import { sentence } from "../../server-labs/protocol.ts";
import { type ChapterMeta, contents, type LessonMeta, lesson } from "../book.ts";
import { labs } from "../labs.ts";
import { progress } from "../progress.ts";
import { bookTitle, useTitle } from "../ui/hooks.ts";
import { Forgets } from "./Forgets.tsx";
import { LabState } from "./LabState.tsx";
import { Scroll } from "./Scroll.tsx";

export function Contents() {
  useTitle(bookTitle);
  const chapters = contents();
  const running = useRunning();
  return (
    <Scroll place="contents">
      <main id="text" className="page contents" tabIndex={-1}>
        <header>
          <h1>{bookTitle}</h1>
          <p className="lede">
            How one server holds one client, then many, then ten thousand. You read a little, guess what will
            happen, run a real program on this machine, watch the system calls it makes, and mend it.
          </p>
          <Forgets />
          <Begin chapters={chapters} />
        </header>
        {chapters.map(chapter => (
          <ChapterPart key={chapter.id} chapter={chapter} running={running} />
        ))}
      </main>
    </Scroll>
  );
}

function Begin({ chapters }: { chapters: ChapterMeta[] }) {
  const last = useStore(progress, state => state.last);
  const first = chapters[0]?.lessons[0];
  const to = (last && lesson(last)) || first;
  if (!to) return <p>This book has no lessons yet.</p>;
  return (
    <p className="begin">
      <Link href={`/${to.id}`} className="button primary">
        {last === to.id ? "Continue" : "Begin"}
      </Link>
      <span>
        <span className="dim">{last === to.id ? "where you were: " : "with "}</span>
        {to.title}
      </span>
    </p>
  );
}

/** What lives in which lab: "listening on 7890". Asked once, whenever the lab server is there. */
function useRunning(): Record<string, string> {
  const connection = useStore(labs.store, state => state.connection);
  const [running, setRunning] = useState<Record<string, string>>({});
  useEffect(() => {
    if (connection !== "ready") return setRunning({});
    let gone = false;
    void labs.api.labs().then(all => {
      if (gone || "problem" in all) return;
      const live = all.flatMap(({ lab, program }) =>
        program && !["exited", "refused"].includes(program.state)
          ? [[lab, sentence(program.statement)] as const]
          : [],
      );
      setRunning(Object.fromEntries(live));
    });
    return () => {
      gone = true;
    };
  }, [connection]);
  return running;
}

interface ChapterProps {
  chapter: ChapterMeta;
  running: Record<string, string>;
}

function ChapterPart({ chapter, running }: ChapterProps) {
  const title = `chapter-${chapter.id}`;
  return (
    <section className="chapter" aria-labelledby={title}>
      <p className="chapter-number" aria-hidden="true">
        {chapter.number}
      </p>
      <div>
        <h2 id={title}>
          <Link href={`/${chapter.id}`}>{chapter.title}</Link>
        </h2>
        <p className="chapter-summary">{chapter.summary}</p>
        <ol className="lessons">
          {chapter.lessons.map(one => (
            <LessonRow key={one.id} lesson={one} running={running[one.id] ?? null} />
          ))}
        </ol>
        <ChapterLinks chapter={chapter} />
      </div>
    </section>
  );
}

/** The pages of a chapter that are not lessons. */
export function ChapterLinks({ chapter: { id, closing, glossary } }: { chapter: ChapterMeta }) {
  if (!closing && !glossary) return null;
  return (
    <p className="chapter-links">
      {closing && <Link href={`/${id}/closing`}>{closing.title}</Link>}
      {glossary && <Link href={`/${id}/glossary`}>{glossary.title}</Link>}
    </p>
  );
}

export function LessonRow({ lesson, running }: { lesson: LessonMeta; running: string | null }) {
  return (
    <li className="lesson-row">
      <span className="lesson-number" aria-hidden="true">
        {lesson.chapter.number}.{lesson.number}
      </span>
      <div>
        <Link href={`/${lesson.id}`} className="lesson-title">
          {lesson.title}
        </Link>
        <p className="lesson-summary">{lesson.summary}</p>
        <p className="lesson-notes">
          {lesson.lab ? <LabState lab={lesson.id} meta={lesson.lab} /> : <span>no lab: to read</span>}
          {running && <span className="ready">{running}</span>}
          {lesson.minutes && <span>{lesson.minutes} minutes</span>}
          {lesson.course && <span>course {lesson.course}</span>}
        </p>
      </div>
    </li>
  );
}
