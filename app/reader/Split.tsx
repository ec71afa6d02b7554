// Wide windows: reader and workbench side by side, with a line between them that can be moved. The workbench can be
// folded away; it goes on behind, and the prose stands in the middle.
import { useEffect } from "react";
import { Group, Panel, Separator, useDefaultLayout, usePanelRef } from "react-resizable-panels";
import { useStore } from "zustand";
import type { LessonContent, LessonMeta } from "../book.ts";
import { desk, foldWorkbench, openWorkbench } from "../desk.ts";
import { Bench } from "./Bench.tsx";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  reading: React.ReactNode;
}

export function Split({ lesson, content, reading }: Props) {
  const folded = useStore(desk, state => state.folded);
  const panel = usePanelRef();
  const layout = useDefaultLayout({
    id: "workbook.split",
    storage: localStorage,
    onlySaveAfterUserInteractions: true,
  });
  useEffect(() => {
    if (folded) panel.current?.collapse();
    else panel.current?.expand();
  }, [folded, panel]);
  return (
    <Group className="split" orientation="horizontal" {...layout}>
      <Panel
        id="reader"
        minSize="360px"
        maxSize={folded ? "100%" : "60%"}
        defaultSize={folded ? "100%" : "42%"}
        className="split-reader"
      >
        {reading}
      </Panel>
      <Separator className="separator" aria-label="Between the text and the workbench" disabled={folded} />
      <Panel
        id="workbench"
        panelRef={panel}
        collapsible
        minSize="40%"
        defaultSize={folded ? "0%" : "58%"}
        onResize={({ inPixels }, _id, before) => {
          // Dragged to the edge, or dragged back.
          if (before && before.inPixels > 0 && inPixels === 0) foldWorkbench();
          if (before?.inPixels === 0 && inPixels > 0) openWorkbench();
        }}
      >
        <div className="split-bench" inert={folded} data-folded={folded || undefined}>
          <Bench lesson={lesson} content={content} />
        </div>
      </Panel>
    </Group>
  );
}
