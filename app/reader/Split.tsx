// Wide windows: the prose on the left, the workbench beside it. The prose stands by itself, in a column whose width
// is one variable: what divides the window is loaded later with the workbench, and the text is not touched by it.
import { type CSSProperties, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LessonContent, LessonMeta } from "../book.ts";
import { desk } from "../desk.ts";
import { Boundary } from "../shell/Boundary.tsx";
import { usePainted } from "../shell/hooks.ts";

const Divided = lazy(() => import("./Divided.tsx"));
const key = "workbook.split";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  reading: ReactNode;
}

export function Split({ lesson, content, reading }: Props) {
  const folded = useStore(desk, state => state.folded);
  const opened = useStore(desk, state => state.opened);
  const [percent, setPercent] = useState(() => Number(localStorage.getItem(key)) || 42);
  const painted = usePainted();
  const bench = useRef<HTMLElement>(null);
  useEffect(() => {
    if (opened > 0) bench.current?.focus({ preventScroll: true });
  }, [opened]);
  return (
    <div
      className="split"
      data-folded={folded || undefined}
      style={{ "--reader": `${percent}%` } as CSSProperties}
    >
      <div className="split-reader">{reading}</div>
      <section className="split-bench" aria-label="The lab" inert={folded} ref={bench} tabIndex={-1}>
        <Boundary name="The workbench">
          <Suspense>
            {painted && (
              <Divided
                lesson={lesson}
                content={content}
                percent={percent}
                onMove={setPercent}
                onMoved={moved => localStorage.setItem(key, String(moved))}
              />
            )}
          </Suspense>
        </Boundary>
      </section>
    </div>
  );
}
