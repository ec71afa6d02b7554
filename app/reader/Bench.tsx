// The workbench as the reader knows it: loaded after the prose has been painted, and given the lesson's lab.
import type { Root } from "hast";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import type { LessonContent, LessonMeta } from "../book.ts";
import { Boundary } from "../shell/Boundary.tsx";
import { LessonOf } from "./here.ts";
import { Prose } from "./Prose.tsx";

const Workbench = lazy(() => import("../workbench/Workbench.tsx"));

export function Bench({ lesson, content }: { lesson: LessonMeta; content: LessonContent | null }) {
  const painted = usePainted();
  const lab = useMemo(() => labOf(lesson, content), [lesson, content]);
  const renderHint = useCallback(
    (hint: Root) => (
      <LessonOf value={lesson}>
        <Prose tree={hint} />
      </LessonOf>
    ),
    [lesson],
  );
  if (!painted || !lab) return <div className="bench-waiting" aria-busy="true" />;
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

/** True once the browser has had time to paint the prose: Monaco must not come before it. */
function usePainted(): boolean {
  const [painted, setPainted] = useState(false);
  useEffect(() => {
    // Two frames: the first callback comes before the paint of what was just rendered.
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => setPainted(true));
    });
    return () => cancelAnimationFrame(frame);
  }, []);
  return painted;
}
