// The lower half: Output, Syscalls, Kernel, Clients, Checks. Where there is room Syscalls stands beside the first, the
// third and the fourth, because seeing two of them together is what the course is about.
import { Tabs } from "@base-ui/react/tabs";
import type { Root } from "hast";
import { type ReactNode, useEffect, useSyncExternalStore } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";
import { useStore } from "zustand";
import type { Draft } from "../drafts.ts";
import type { RunView } from "../labs.ts";
import { CopyLine } from "./CopyLine.tsx";
import { ChecksPane } from "./checks/ChecksPane.tsx";
import { useResults } from "./checks/results.ts";
import { ClientsPane } from "./clients/ClientsPane.tsx";
import { KernelPane } from "./kernel/KernelPane.tsx";
import { type Actions, useDraftState, type WorkbenchLab } from "./lab.ts";
import { OutputPane, Terminal } from "./output/OutputPane.tsx";
import { PaneBoundary } from "./PaneBoundary.tsx";
import { PaceBar } from "./pace/PaceBar.tsx";
import { SyscallsPane } from "./syscalls/SyscallsPane.tsx";
import { type Pane, view } from "./view.ts";
import { number } from "./words.ts";

interface Props {
  lab: WorkbenchLab;
  draft: Draft | null;
  program: RunView | null;
  check: RunView | null;
  actions: Actions;
  renderHint(hint: Root): ReactNode;
}

export function Panes({ lab, draft, program, check, actions, renderHint }: Props) {
  useEffect(() => {
    const idle = window.requestIdleCallback ?? (soon => setTimeout(soon, 1000));
    idle(() => Terminal.load().catch(() => {})); // said by the pane when it is shown
  }, []);
  const pane = useStore(view, state => state.pane);
  const wide = useWide();
  const text = useDraftState(draft, state => state.text);
  const results = useResults(lab.id, lab.checks, check, text);
  const states = [...results.values()].map(({ state }) => state);
  const passed = states.filter(state => state === "passed").length;
  const checked = states.some(state => state !== "not run");
  const output = (
    <PaneBoundary name="Output" onReload={Terminal.again}>
      <OutputPane lab={lab} program={program} actions={actions} />
    </PaneBoundary>
  );
  const syscalls = (
    <PaneBoundary name="Syscalls">
      <SyscallsPane program={program} />
    </PaneBoundary>
  );
  const beside = (of: Pane) => wide && pane === of && <Beside of={of}>{syscalls}</Beside>;
  return (
    <Tabs.Root className="panes" value={pane} onValueChange={next => view.setState({ pane: next as Pane })}>
      <div className="panes-bar">
        <Tabs.List className="tabs" aria-label="What the program does">
          <PaneTab name="Output" />
          <PaneTab name="Syscalls" count={program && program.calls > 0 ? number(program.calls) : null} />
          <PaneTab name="Kernel" />
          <PaneTab
            name="Clients"
            count={program && program.visits.length > 0 ? number(program.visits.length) : null}
          />
          <PaneTab name="Checks" count={checked ? `${passed}/${states.length}` : null} />
        </Tabs.List>
        {program?.live && program.listening && (
          <CopyLine quiet text={`curl -i http://127.0.0.1:${program.listening.port}/`} />
        )}
      </div>
      {program && <PaceBar program={program} />}
      {/* Kept when hidden: the terminal's scroll and selection survive a look at another pane. */}
      <Tabs.Panel value="Output" keepMounted className="pane">
        <Group orientation="horizontal" className="pane-group">
          <Panel id="output" minSize="25%">
            {output}
          </Panel>
          {beside("Output")}
        </Group>
      </Tabs.Panel>
      <Tabs.Panel value="Syscalls" className="pane">
        {syscalls}
      </Tabs.Panel>
      <Tabs.Panel value="Kernel" className="pane">
        <Group orientation="horizontal" className="pane-group">
          <Panel id="kernel" minSize="25%">
            <PaneBoundary name="Kernel">
              <KernelPane program={program} />
            </PaneBoundary>
          </Panel>
          {beside("Kernel")}
        </Group>
      </Tabs.Panel>
      <Tabs.Panel value="Clients" className="pane">
        <Group orientation="horizontal" className="pane-group">
          <Panel id="clients" minSize="25%">
            <PaneBoundary name="Clients">
              <ClientsPane program={program} port={lab.port} />
            </PaneBoundary>
          </Panel>
          {beside("Clients")}
        </Group>
      </Tabs.Panel>
      <Tabs.Panel value="Checks" className="pane">
        <PaneBoundary name="Checks">
          <ChecksPane lab={lab} run={check} results={results} actions={actions} renderHint={renderHint} />
        </PaneBoundary>
      </Tabs.Panel>
    </Tabs.Root>
  );
}

/** Syscalls, at the right of another pane. */
function Beside({ of, children }: { of: Pane; children: ReactNode }) {
  return (
    <>
      <Separator className="separator vertical" aria-label={`Between ${of} and Syscalls`} />
      <Panel id="syscalls" defaultSize={of === "Output" ? "45%" : "38%"} minSize="20%">
        <section className="pane-beside" aria-label="Syscalls">
          {children}
        </section>
      </Panel>
    </>
  );
}

/** The count is for the eye: the tab's name stays its name. */
function PaneTab({ name, count = null }: { name: Pane; count?: string | null }) {
  return (
    <Tabs.Tab value={name} className="tab">
      {name}
      {count !== null && (
        <span className="tab-count" aria-hidden="true">
          {count}
        </span>
      )}
    </Tabs.Tab>
  );
}

const query = "(min-width: 1500px)";

function useWide() {
  return useSyncExternalStore(
    changed => {
      const media = matchMedia(query);
      media.addEventListener("change", changed);
      return () => media.removeEventListener("change", changed);
    },
    () => matchMedia(query).matches,
  );
}
