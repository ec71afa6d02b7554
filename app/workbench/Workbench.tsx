// The right half of the page: the student's file over what its program does. Everything here is a view of three
// things: the draft, the lab's runs, and what the reader has opened.
import "../style/workbench.css";
import "../style/pace.css";
import type { Root } from "hast";
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { type ReactNode, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import { useStore } from "zustand";
import { type Draft, resetDraft } from "../drafts.ts";
import type { RunView } from "../labs.ts";
import { againLazy } from "./again-lazy.tsx";
import { Bars } from "./Bars.tsx";
import { HeadBar } from "./HeadBar.tsx";
import { useKeys } from "./keys.ts";
import { useActions, useDraft, useDraftState, useLab, type WorkbenchLab } from "./lab.ts";
import { useMarks } from "./marks.ts";
import { PaneBoundary } from "./PaneBoundary.tsx";
import { Panes } from "./Panes.tsx";
import { usePaceKeys } from "./pace/driving.ts";
import { storage } from "./remember.ts";
import { setFilter } from "./syscalls/filter.ts";
import { view } from "./view.ts";

export type { WorkbenchLab } from "./lab.ts";
export { openCheck, openPane, revealLine } from "./view.ts";

const Editor = againLazy(() => import("./editor/Editor.tsx"));
// Asked for at once, while the text is still being fetched: the two do not wait for each other.
Editor.load().catch(() => {}); // said by the pane that shows it

export interface WorkbenchProps {
  lab: WorkbenchLab;
  /** Renders a hint with the reader's own words; plain HTML without it. */
  renderHint?: (hint: Root) => ReactNode;
}

export default function Workbench({ lab, renderHint = plain }: WorkbenchProps) {
  const draft = useDraft(lab);
  const { program, check, asked, problem } = useLab(lab.id);
  const actions = useActions(lab.id, draft);
  const [replaced, setReplaced] = useState<string | null>(null);
  const layout = useDefaultLayout({ id: "workbench", storage });
  useKeys(actions, program?.live ?? false);
  usePaceKeys(program);
  // Its words are about one lab's descriptors and peers.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another lab is what it is cleared for.
  useEffect(() => () => setFilter(""), [lab.id]);
  const reset = useCallback(() => {
    void resetDraft(lab.id, lab.file).then(why =>
      setReplaced(why ?? "The starter is back. Your text was set aside."),
    );
  }, [lab]);
  return (
    <section className="bench" aria-label={`Workbench: ${lab.title}`}>
      <HeadBar {...{ lab, draft, program, check, asked, actions }} onReset={reset} />
      <Bars lab={lab} draft={draft} problem={problem} replaced={replaced} onReplaced={setReplaced} />
      <LineMarks draft={draft} program={program} />
      <Group orientation="vertical" className="bench-group" {...layout}>
        <Panel id="editor" defaultSize="60%" minSize="20%">
          <PaneBoundary name="The editor" onReload={Editor.again}>
            <Suspense fallback={<Waiting draft={draft} />}>
              <LabEditor lab={lab} draft={draft} program={program} check={check} />
            </Suspense>
          </PaneBoundary>
        </Panel>
        <Separator className="separator" aria-label="Between the editor and the panes" />
        <Panel id="panes" defaultSize="40%" minSize="15%">
          <Panes {...{ lab, draft, program, check, actions, renderHint }} />
        </Panel>
      </Group>
    </section>
  );
}

interface LabEditorProps {
  lab: WorkbenchLab;
  draft: Draft | null;
  program: RunView | null;
  check: RunView | null;
}

/** The editor on the draft; nothing else of the workbench is rendered again when a key is pressed. */
function LabEditor({ lab, draft, program, check }: LabEditorProps) {
  const text = useDraftState(draft, state => state.text);
  const loaded = useDraftState(draft, state => state.loaded);
  const reveal = useStore(view, state => state.reveal);
  const refused = program?.refused ?? check?.refused ?? null;
  const problem = useMemo(
    () =>
      refused?.line === undefined
        ? null
        : { line: refused.line, column: refused.column ?? 1, sentence: refused.sentence },
    [refused],
  );
  const edit = useCallback((next: string) => draft?.edit(next), [draft]);
  if (!draft || !loaded) return <Waiting draft={draft} />;
  return (
    <Editor.Component
      lab={lab.id}
      file={lab.file}
      text={text}
      onEdit={edit}
      problem={problem}
      reveal={reveal}
    />
  );
}

/** The lines that the program is at; a component of its own, as it looks at every change of the text. */
function LineMarks({ draft, program }: { draft: Draft | null; program: RunView | null }) {
  useMarks(draft, program);
  return null;
}

/** The text before the editor is there: it can be read at once. */
function Waiting({ draft }: { draft: Draft | null }) {
  const text = useDraftState(draft, state => state.text);
  return <pre className="editor-waiting">{text}</pre>;
}

const plain = (hint: Root) => toJsxRuntime(hint, { Fragment, jsx, jsxs });
