// Divided window. The line between prose and workbench, and the workbench. The left panel is empty: the prose is under it.
import { Group, Panel, Separator } from "react-resizable-panels";
import type { LessonContent, LessonMeta } from "../book.ts";
import { Bench } from "./Bench.tsx";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  /** Of the window that the prose has. */
  percent: number;
  /** The line is being moved, or the window has changed. */
  onMove(percent: number): void;
  /** The reader has let go of the line. */
  onMoved(percent: number): void;
}

export default function Divided({ lesson, content, percent, onMove, onMoved }: Props) {
  return (
    <Group
      className="divided"
      orientation="horizontal"
      defaultLayout={{ reader: percent, workbench: 100 - percent }}
      onLayoutChange={({ reader }) => {
        if (reader !== undefined) onMove(reader);
      }}
      onLayoutChanged={({ reader }, { isUserInteraction }) => {
        if (reader !== undefined && isUserInteraction) onMoved(reader);
      }}
    >
      <Panel id="reader" minSize="360px" maxSize="60%" />
      <Separator className="separator" aria-label="Between the text and the workbench" />
      <Panel id="workbench" className="divided-bench">
        <Bench lesson={lesson} content={content} />
      </Panel>
    </Group>
  );
}
