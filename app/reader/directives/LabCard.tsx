// Lab card. It opens the lab from the prose; the page's scroll position does not change.
import type { ReactNode } from "react";
import { useStore } from "zustand";
import { desk, openWorkbench } from "../../desk.ts";
import { sideBySide, useMedia } from "../../ui/hooks.ts";
import { useLesson } from "../here.ts";
import { LabState } from "../LabState.tsx";
import { useRunPort } from "../run-port.ts";

export function LabCard({ children }: { children?: ReactNode }) {
  const lesson = useLesson();
  const wide = useMedia(sideBySide);
  const port = useRunPort(lesson);
  const folded = useStore(desk, state => state.folded);
  if (!lesson?.lab) return null;
  const open = wide && !folded;
  const { title, summary } = lesson.lab;
  return (
    <section className="lab-card" aria-label={`Lab: ${title}`}>
      <div className="lab-card-head">
        <div>
          <p className="lab-card-title">{title}</p>
          <p className="lab-card-notes">
            <code>server.ts</code> · port {port} · <LabState lab={lesson.id} meta={lesson.lab} />
          </p>
        </div>
        {/* One primary button in view at a time: beside an open workbench that is Run. */}
        <button type="button" className={`button ${open ? "" : "primary"}`} onClick={openWorkbench}>
          Open<span className="sr"> the lab</span>
        </button>
      </div>
      <div className="lab-card-text">
        <p>{summary}</p>
        {children}
      </div>
    </section>
  );
}
