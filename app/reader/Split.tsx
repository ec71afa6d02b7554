// Wide window. The prose on the left, the workbench beside it. The prose's column has a width of its own, so that the
// workbench, which loads later, does not move the text.
import { type CSSProperties, lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LessonContent, LessonMeta } from "../book.ts";
import { desk } from "../desk.ts";
import { local } from "../storage.ts";
import { Boundary } from "../ui/Boundary.tsx";
import { useMoment, usePainted } from "../ui/hooks.ts";

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
  const outlined = useMoment(useStore(desk, state => state.pointed));
  const [percent, setPercent] = useState(() => Number(local.get(key)) || 42);
  const painted = usePainted();
  const bench = useRef<HTMLElement>(null);
  useEffect(() => {
    // A check that is asked for by its name has taken the focus by now.
    if (opened > 0 && !bench.current?.contains(document.activeElement))
      bench.current?.focus({ preventScroll: true });
  }, [opened]);
  return (
    <div
      className="split"
      data-folded={folded || undefined}
      data-outlined={outlined || undefined}
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
                onMoved={moved => local.set(key, String(moved))}
              />
            )}
          </Suspense>
        </Boundary>
      </section>
    </div>
  );
}
