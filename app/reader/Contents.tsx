// The first page: what this book is, where the reader was, and every lesson with the state of its lab.
import { Link } from "wouter";
import { useStore } from "zustand";
import { type Chapter, contents, type LessonMeta, lesson } from "../book.ts";
import { progress } from "../progress.ts";
import { bookTitle, useTitle } from "../shell/hooks.ts";
import { LabState } from "./LabState.tsx";
import { Prose } from "./Prose.tsx";
import { Scroll } from "./Scroll.tsx";

export function Contents() {
  useTitle(bookTitle);
  const chapters = contents();
  return (
    <Scroll place="contents">
      <main id="text" className="page contents" tabIndex={-1}>
        <header>
          <h1>{bookTitle}</h1>
          <p className="lede">
            How one server holds one client, then many, then ten thousand. You read a little, guess what will
            happen, run a real program on this machine, watch the system calls it makes, and mend it.
          </p>
          <Begin chapters={chapters} />
        </header>
        {chapters.map(chapter => (
          <ChapterPart key={chapter.id} chapter={chapter} />
        ))}
      </main>
    </Scroll>
  );
}

function Begin({ chapters }: { chapters: Chapter[] }) {
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

function ChapterPart({ chapter }: { chapter: Chapter }) {
  const title = `chapter-${chapter.id}`;
  return (
    <section className="chapter" aria-labelledby={title}>
      <p className="chapter-number" aria-hidden="true">
        {chapter.number}
      </p>
      <div>
        <h2 id={title}>{chapter.title}</h2>
        <p className="chapter-summary">{chapter.summary}</p>
        {chapter.intro.children.length > 0 && (
          <div className="prose chapter-intro">
            <Prose tree={chapter.intro} />
          </div>
        )}
        <ol className="lessons">
          {chapter.lessons.map(one => (
            <LessonRow key={one.id} lesson={one} />
          ))}
        </ol>
      </div>
    </section>
  );
}

function LessonRow({ lesson }: { lesson: LessonMeta }) {
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
          {lesson.minutes && <span>{lesson.minutes} minutes</span>}
          {lesson.course && <span>course {lesson.course}</span>}
        </p>
      </div>
    </li>
  );
}
