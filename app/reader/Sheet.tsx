// Narrow windows: one column, and the lab as a sheet over it. Once opened it stays loaded behind the text.
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import type { LessonContent, LessonMeta } from "../book.ts";
import { closeSheet, desk, openWorkbench } from "../desk.ts";
import { Icon } from "../shell/Icon.tsx";
import { Bench } from "./Bench.tsx";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  reading: React.ReactNode;
}

export function Sheet({ lesson, content, reading }: Props) {
  const open = useStore(desk, state => state.sheet);
  const [opened, setOpened] = useState(open);
  const back = useRef<HTMLButtonElement>(null);
  const opener = useRef<HTMLElement | null>(null);
  if (open && !opened) setOpened(true);
  useEffect(() => {
    if (!open) return opener.current?.focus({ preventScroll: true });
    opener.current = document.activeElement as HTMLElement | null;
    back.current?.focus();
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
        <button type="button" className="sheet-back" ref={back} onClick={closeSheet}>
          <Icon name="back" /> Back to the text
        </button>
        {opened && <Bench lesson={lesson} content={content} />}
      </div>
    </div>
  );
}
