// Workbench loader. Loads the workbench as a chunk of its own, and gives it the lesson's lab.
import type { Root } from "hast";
import { lazy, Suspense, useCallback, useMemo } from "react";
import type { LessonContent, LessonMeta } from "../book.ts";
import { Boundary } from "../ui/Boundary.tsx";
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
  const { title, port, http, checks } = lesson.lab;
  const files = content.files.map(one => one.file);
  return { id: lesson.id, title, port, http, ...file, files, checks, hints: content.hints };
}
