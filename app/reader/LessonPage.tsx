// Lesson page. The prose at once, and beside it the workbench, which loads after the prose.
import { useEffect } from "react";
import type { LessonContent, LessonMeta } from "../book.ts";
import { closeSheet } from "../desk.ts";
import { labs } from "../labs.ts";
import { setLastLesson } from "../progress.ts";
import { sideBySide, useMedia, useTitle } from "../ui/hooks.ts";
import { Reading } from "./Reading.tsx";
import { Sheet } from "./Sheet.tsx";
import { Split } from "./Split.tsx";
import { useText } from "./use-text.ts";

export function LessonPage({ lesson }: { lesson: LessonMeta }) {
  const { content, problem } = useText<LessonContent>(lesson.id);
  const wide = useMedia(sideBySide);
  useTitle(lesson.title);
  useEffect(() => {
    setLastLesson(lesson.id);
    return closeSheet;
  }, [lesson.id]);
  // The card in the prose shows how the lab stands, also while the workbench is folded away.
  useEffect(() => (lesson.lab ? labs.watch(lesson.id) : undefined), [lesson]);

  const reading = <Reading lesson={lesson} content={content} problem={problem} />;
  if (!lesson.lab) return reading;
  if (wide) return <Split lesson={lesson} content={content} reading={reading} />;
  return <Sheet lesson={lesson} content={content} reading={reading} />;
}
