// A lesson: its prose, and beside it the workbench when it has a lab. The prose is there at once; the workbench
// loads behind it.
import { useEffect, useState } from "react";
import { type LessonContent, type LessonMeta, loadLesson, onLessonChange } from "../book.ts";
import { closeSheet } from "../desk.ts";
import { labs } from "../labs.ts";
import { remember } from "../progress.ts";
import { sideBySide, useMedia, useTitle } from "../shell/hooks.ts";
import { Reading } from "./Reading.tsx";
import { Sheet } from "./Sheet.tsx";
import { Split } from "./Split.tsx";

export function LessonPage({ lesson }: { lesson: LessonMeta }) {
  const { content, problem } = useContent(lesson.id);
  const wide = useMedia(sideBySide);
  useTitle(lesson.title);
  useEffect(() => {
    remember(lesson.id);
    return closeSheet;
  }, [lesson.id]);
  // The card in the prose shows how the lab stands, also while the workbench is folded away.
  useEffect(() => (lesson.lab ? labs.watch(lesson.id) : undefined), [lesson]);

  const reading = <Reading lesson={lesson} content={content} problem={problem} />;
  if (!lesson.lab) return reading;
  if (wide) return <Split lesson={lesson} content={content} reading={reading} />;
  return <Sheet lesson={lesson} content={content} reading={reading} />;
}

/** The lesson's text, when it has come; in development also whenever it is changed. */
function useContent(id: string): { content: LessonContent | null; problem: string | null } {
  const [content, setContent] = useState<LessonContent | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    loadLesson(id).then(
      loaded => !gone && setContent(loaded),
      (error: Error) => !gone && setProblem(error.message),
    );
    const stop = onLessonChange(id, setContent);
    return () => {
      gone = true;
      stop();
    };
  }, [id]);
  return { content, problem };
}
