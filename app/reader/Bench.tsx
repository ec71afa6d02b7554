// The workbench as the reader knows it: loaded by itself, and given the lesson's lab.
import type { Root } from "hast";
import { lazy, Suspense, useCallback, useMemo } from "react";
import type { LessonContent, LessonMeta } from "../book.ts";
import { Boundary } from "../shell/Boundary.tsx";
import { LessonOf } from "./here.ts";
import { Prose } from "./Prose.tsx";

const Workbench = lazy(() => import("../workbench/Workbench.tsx"));

export function Bench({ lesson, content }: { lesson: LessonMeta; content: LessonContent | null }) {
  const lab = useMemo(() => labOf(lesson, content), [lesson, content]);
  const renderHint = useCallback(
    (hint: Root) => (
      <LessonOf value={lesson}>
        <Prose tree={hint} />
      </LessonOf>
    ),
    [lesson],
  );
  if (!lab) return <div className="bench-waiting" aria-busy="true" />;
  return (
    <Boundary name="The workbench">
      <Suspense fallback={<div className="bench-waiting" aria-busy="true" />}>
        <Workbench lab={lab} renderHint={renderHint} />
      </Suspense>
    </Boundary>
  );
}

function labOf(lesson: LessonMeta, content: LessonContent | null) {
  const file = content?.files[0];
  if (!content || !file || !lesson.lab) return null;
  const { title, port, checks } = lesson.lab;
  return { id: lesson.id, title, port, ...file, checks, hints: content.hints };
}
