// Narrow window. One column, and the lab as a sheet over it. Once opened, the lab stays loaded behind the text.
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LessonContent, LessonMeta } from "../book.ts";
import { desk, openWorkbench } from "../desk.ts";
import { Bench } from "./Bench.tsx";

/** Id of the button in the title bar that closes the sheet. */
export const backToText = "back-to-text";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  reading: React.ReactNode;
}

export function Sheet({ lesson, content, reading }: Props) {
  const open = useStore(desk, state => state.sheet);
  const [opened, setOpened] = useState(open);
  const opener = useRef<HTMLElement | null>(null);
  if (open && !opened) setOpened(true);
  useEffect(() => {
    if (!open) return opener.current?.focus({ preventScroll: true });
    opener.current = document.activeElement as HTMLElement | null;
    document.getElementById(backToText)?.focus();
  }, [open]);
  return (
    <div className="one-column">
      <div className="one-column-text" inert={open}>
        {reading}
        <button type="button" className="button primary open-lab" onClick={openWorkbench}>
          Open the lab
        </button>
      </div>
      <div className="sheet" hidden={!open}>
        {opened && <Bench lesson={lesson} content={content} />}
      </div>
    </div>
  );
}
