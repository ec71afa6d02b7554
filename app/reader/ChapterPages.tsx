// Chapter pages. How a chapter opens, with its lessons; how it closes; and its glossary.
import { Link } from "wouter";
import type { ChapterMeta } from "../book.ts";
import { ChapterLinks, LessonRow } from "./Contents.tsx";
import { Neighbours } from "./Neighbours.tsx";
import { TextPage } from "./TextPage.tsx";

export function Opening({ chapter }: { chapter: ChapterMeta }) {
  const { id, number, title, summary, lessons } = chapter;
  return (
    <TextPage id={id} title={title} summary={summary} place={`Chapter ${number}`}>
      <ol className="lessons">
        {lessons.map(lesson => (
          <LessonRow key={lesson.id} lesson={lesson} running={null} />
        ))}
      </ol>
      <ChapterLinks chapter={chapter} />
      <Neighbours id={id} />
    </TextPage>
  );
}

export function Closing({ chapter }: { chapter: ChapterMeta }) {
  if (!chapter.closing) return null;
  return (
    <TextPage id={`${chapter.id}/closing`} {...chapter.closing} place={<ChapterLink chapter={chapter} />}>
      <Neighbours id={`${chapter.id}/closing`} />
    </TextPage>
  );
}

export function Glossary({ chapter }: { chapter: ChapterMeta }) {
  if (!chapter.glossary) return null;
  return (
    <TextPage id={`${chapter.id}/glossary`} {...chapter.glossary} place={<ChapterLink chapter={chapter} />}>
      <Neighbours id={`${chapter.id}/glossary`} />
    </TextPage>
  );
}

const ChapterLink = ({ chapter }: { chapter: ChapterMeta }) => (
  <Link href={`/${chapter.id}`}>{chapter.title}</Link>
);
