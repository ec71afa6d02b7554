// Workbench. The student's file over what its program does.
// It is a view of three things: the draft, the lab's runs, and what the reader has opened.
import { type EventOf, sentence } from "../../server-labs/protocol.ts";
import "../style/workbench.css";
import "../style/pace.css";
import type { Root } from "hast";
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { type ReactNode, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { Group, Panel, Separator, useDefaultLayout } from "react-resizable-panels";
import { useStore } from "zustand";
import { type Draft, resetDraft } from "../drafts.ts";
import { useKeys } from "../keys.ts";
import type { RunView } from "../labs.ts";
import { local } from "../storage.ts";
import { Boundary } from "../ui/Boundary.tsx";
import { reloadable } from "../ui/reloadable.ts";
import { Bars, FileBar, wayBack } from "./Bars.tsx";
import { type FileNotice, FileTabs } from "./FileTabs.tsx";
import { type LabFiles, useFiles, useTexts } from "./files.ts";
import { HeadBar } from "./HeadBar.tsx";
import {
  useActions,
  useCheckResults,
  useDraft,
  useDraftState,
  useEditedSinceRun,
  useLab,
  type WorkbenchLab,
} from "./lab.ts";
import { marks, useMarks } from "./marks.ts";
import { Panes } from "./Panes.tsx";
import { usePaceKeys } from "./pace/driving.ts";
import type { PaneProps } from "./pane.ts";
import { setFilter } from "./panes/syscalls.ts";
import { view } from "./view.ts";

export type { WorkbenchLab } from "./lab.ts";

const Editor = reloadable(() => import("./editor.ts"));
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
  const files = useFiles(lab);
  const actions = useActions(lab.id, draft, files.drafts);
  const edited = useEditedSinceRun(draft, files.drafts, program);
  const [replaced, setReplaced] = useState<string | null>(null);
  const maximised = useStore(view, state => state.maximised !== null);
  const [notice, setNotice] = useState<FileNotice | null>(null);
  const shown = useMemo(() => ({ ...lab, file: files.open }), [lab, files.open]);
  const isMain = files.open === lab.file;
  const opened = isMain ? draft : (files.drafts.get(files.open) ?? null);
  const refused = program?.refused ?? check?.refused ?? null;
  const faulty = refused && "file" in refused.statement ? refused.statement.file : null;
  useOpened(files, lab.file, refused, faulty);
  const layout = useDefaultLayout({ id: "workbench", storage: layouts });
  useKeys("lab", {
    run: () => actions.run(),
    check: () => actions.check(),
    stop: program?.live ? actions.stop : null,
  });
  usePaceKeys(program);
  // Its words are about one lab's descriptors and peers.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another lab is what it is cleared for.
  useEffect(() => () => setFilter(""), [lab.id]);
  useEffect(() => {
    if (files.crowded !== null) setNotice({ sentence: files.crowded });
  }, [files.crowded]);
  const reset = useCallback(() => {
    void resetDraft(shown.id, shown.file).then(why =>
      setReplaced(why ?? `The starter is back. Your text was set aside: ${wayBack}`),
    );
  }, [shown]);
  const tabs = (
    <FileTabs
      files={files}
      given={lab.files}
      faulty={faulty}
      mainText={() => draft?.state.text ?? ""}
      onSaid={setNotice}
    />
  );
  const single = files.names.length === 1;
  return (
    <section className="bench" aria-label={`Workbench: ${lab.title}`}>
      <HeadBar
        {...{ program, check, asked, actions }}
        file={files.open}
        more={single && tabs}
        draft={opened}
        edited={edited}
        onReset={lab.files.includes(files.open) ? reset : null}
      />
      {!single && <div className="bench-files">{tabs}</div>}
      <FileBar notice={notice} draft={opened} onDone={() => setNotice(null)} />
      <Bars lab={shown} draft={opened} problem={problem} replaced={replaced} onReplaced={setReplaced} />
      <LineMarks draft={draft} others={files.drafts} program={program} />
      <div className="bench-body" data-maximised={maximised || undefined}>
        <Group orientation="vertical" {...layout}>
          <Panel id="editor" defaultSize="60%" minSize="20%">
            <Boundary pane name="The editor" onRetry={Editor.reset}>
              <Suspense fallback={<Waiting draft={draft} />}>
                <LabEditor {...{ lab, files, refused }} main={draft} draft={opened} />
              </Suspense>
            </Boundary>
          </Panel>
          <Separator className="separator" aria-label="Between the editor and the panes" />
          <Panel id="panes" defaultSize="40%" minSize="15%">
            <LabPanes draft={draft} others={files.drafts} {...{ lab, program, check, actions, renderHint }} />
          </Panel>
        </Group>
      </div>
    </section>
  );
}

/** Opens the file that a reader asked to see a line of, that in which the program waits, and the one in which a new run found a mistake. */
function useOpened(
  { show, names }: LabFiles,
  main: string,
  refused: EventOf<"refused"> | null,
  faulty: string | null,
): void {
  const reveal = useStore(view, state => state.reveal);
  useEffect(() => {
    if (reveal) show(reveal.file ?? main);
  }, [reveal, show, main]);
  const waits = useStore(marks, state => state.waits);
  const waitsIn = waits && (waits.file ?? main);
  // Where it has stopped is what the reader asked to see: after a step that leads to another file, too.
  useEffect(() => {
    if (waitsIn !== null) show(waitsIn);
  }, [waitsIn, show]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a file that comes later is not a new mistake.
  useEffect(() => {
    if (refused && faulty !== null && names.includes(faulty)) show(faulty);
  }, [refused?.run]);
}

interface LabEditorProps {
  lab: WorkbenchLab;
  /** Of the file that runs. */
  main: Draft | null;
  files: LabFiles;
  /** Of the file that is open. */
  draft: Draft | null;
  refused: EventOf<"refused"> | null;
}

/** The editor on the draft; nothing else of the workbench is rendered again when a key is pressed. */
function LabEditor({ lab, main, files: { open, drafts }, draft, refused }: LabEditorProps) {
  const text = useDraftState(draft, state => state.text);
  const loaded = useDraftState(draft, state => state.loaded);
  const reveal = useStore(view, state => state.reveal);
  const closed = useMemo(() => {
    const all = new Map(main ? [[lab.file, main], ...drafts] : drafts);
    all.delete(open);
    return all;
  }, [lab.file, main, drafts, open]);
  const others = useTexts(closed);
  const problem = useMemo(() => {
    if (refused === null || !("line" in refused.statement) || refused.statement.file !== open) return null;
    const { line, column } = refused.statement;
    return { line, column, sentence: sentence(refused.statement) };
  }, [refused, open]);
  const edit = useCallback((next: string) => draft?.edit(next), [draft]);
  if (!draft || !loaded) return <Waiting draft={draft} />;
  return (
    <Editor.Component
      lab={lab.id}
      file={open}
      text={text}
      others={others}
      marked={open === lab.file ? undefined : open}
      onEdit={edit}
      problem={problem}
      reveal={reveal && (reveal.file ?? lab.file) === open ? reveal : null}
    />
  );
}

/** The panes, with the results of checks for the texts of this moment. */
function LabPanes({
  draft,
  others,
  ...props
}: Omit<PaneProps, "results"> & { draft: Draft | null; others: LabFiles["drafts"] }) {
  const text = useDraftState(draft, state => state.text);
  const modules = useTexts(others);
  return <Panes {...props} results={useCheckResults(props.lab, props.check, text, modules)} />;
}

/** The lines that the program is at; a component of its own, as it looks at every change of the text. */
function LineMarks(props: { draft: Draft | null; others: LabFiles["drafts"]; program: RunView | null }) {
  useMarks(props.draft, props.others, props.program);
  return null;
}

/** The text before the editor is there: it can be read at once. */
function Waiting({ draft }: { draft: Draft | null }) {
  const text = useDraftState(draft, state => state.text);
  return <pre className="editor-waiting">{text}</pre>;
}

/** Where the sizes of the panels are kept, as their library wants it. */
const layouts = { getItem: local.get, setItem: local.set };
const plain = (hint: Root) => toJsxRuntime(hint, { Fragment, jsx, jsxs });
