// Panes. The lower half of the workbench: one tab for each row of the registry, the open pane, and where there is room
// another one beside it. One bar has the tabs, the pace of the program, and the choice of the second pane.
import { Tabs } from "@base-ui/react/tabs";
import { type RefObject, Suspense, useEffect, useLayoutEffect, useRef } from "react";
import { Group, Panel, Separator } from "react-resizable-panels";
import { useStore } from "zustand";
import { local } from "../storage.ts";
import { Boundary } from "../ui/Boundary.tsx";
import { useMoment } from "../ui/hooks.ts";
import { PaneTools } from "./PaneTools.tsx";
import { PaceBar } from "./pace/PaceBar.tsx";
import type { Pane, PaneProps } from "./pane.ts";
import { type PaneName, paneRows } from "./panes.ts";
import { panesInView, placedFirst, view } from "./view.ts";

const modules = import.meta.glob<{ pane: Pane }>("./panes/*/pane.ts", { eager: true });

/** Each row of the registry with what its folder gives. */
const all = paneRows.map(row => {
  const module = modules[`./panes/${row.name.toLowerCase()}/pane.ts`];
  if (!module) throw new Error(`The pane ${row.name} of panes.ts has no folder with a pane.ts.`);
  // At once: a pane that is first opened while the lab server is away must be in the page by then.
  module.pane.view.load().catch(() => {}); // the pane's boundary shows the failure
  return { ...row, ...module.pane };
});
type OfferedPane = (typeof all)[number];

export function Panes(props: PaneProps) {
  const { program } = props;
  const bar = useRef<HTMLDivElement>(null);
  useMeasuredWidth(bar);
  const offered = all.filter(pane => pane.isOffered?.(props) ?? true);
  const inView = useStore(view);
  const { first: wanted, second } = panesInView(inView);
  // A lab that is opened next may not offer the pane that was open.
  const first = offered.some(({ name }) => name === wanted) ? wanted : "Output";
  const beside = offered.find(({ name }) => name === second) ?? null;
  const outlined = useMoment(inView.pointed) ? inView.pointed?.pane : null;
  return (
    <Tabs.Root
      className="panes"
      value={first}
      onValueChange={next => view.setState(now => placedFirst(now, next as PaneName))}
    >
      <div className="panes-bar" ref={bar}>
        <Tabs.List className="tabs" aria-label="What the program does">
          {offered.map(pane => (
            <PaneTab
              key={pane.name}
              name={pane.name}
              badge={pane.badge?.(props) ?? null}
              beside={pane === beside}
            />
          ))}
        </Tabs.List>
        <PaceBar program={program} />
        <PaneTools names={offered.map(({ name }) => name)} />
      </div>
      <div className="panes-body">
        <Group orientation="horizontal" onLayoutChanged={keepWidth}>
          <Panel id="first" minSize="25%">
            {offered.map(pane => (
              <Tabs.Panel
                key={pane.name}
                value={pane.name}
                keepMounted={pane.keepMounted === true}
                className="pane"
                data-outlined={outlined === pane.name || undefined}
              >
                {/* A pane is in one place: it keeps what it looks at there. */}
                {pane !== beside && <PaneView pane={pane} props={props} />}
              </Tabs.Panel>
            ))}
          </Panel>
          {beside && (
            <>
              <Separator className="separator vertical" aria-label={`Between ${first} and ${beside.name}`} />
              <Panel id="second" defaultSize={secondWidth(offered, first)} minSize="20%">
                <section
                  className="pane"
                  aria-label={beside.name}
                  data-beside=""
                  data-outlined={outlined === beside.name || undefined}
                >
                  <PaneView pane={beside} props={props} />
                </section>
              </Panel>
            </>
          )}
        </Group>
      </div>
    </Tabs.Root>
  );
}

const widthKey = "workbook.second-width";

const secondWidth = (offered: OfferedPane[], first: PaneName): string =>
  local.get(widthKey) ?? offered.find(({ name }) => name === first)?.syscallsBeside ?? "45%";

/** The reader has let go of the line between two panes. */
function keepWidth(
  { second }: Record<string, number>,
  { isUserInteraction }: { isUserInteraction: boolean },
) {
  if (isUserInteraction && second !== undefined) local.set(widthKey, `${second.toFixed(1)}%`);
}

/** Tells the view how much room there is, before the first paint and whenever it changes. */
function useMeasuredWidth(element: RefObject<HTMLElement | null>): void {
  useLayoutEffect(() => view.setState({ width: element.current!.clientWidth }), [element]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) =>
      view.setState({ width: Math.round(entry!.contentRect.width) }),
    );
    // The border box of the bar, which has padding, is as wide as the panes.
    observer.observe(element.current!.parentElement!);
    return () => observer.disconnect();
  }, [element]);
}

function PaneView({ pane: { name, view }, props }: { pane: OfferedPane; props: PaneProps }) {
  return (
    <Boundary pane name={name} onRetry={view.reset}>
      <Suspense fallback={<p className="pane-state dim">Loading {name}…</p>}>
        <view.Component {...props} />
      </Suspense>
    </Boundary>
  );
}

/** The badge is for the eye: the tab's accessible name is its title alone. */
function PaneTab({ name, badge, beside }: { name: PaneName; badge: string | null; beside: boolean }) {
  return (
    <Tabs.Tab
      value={name}
      className="tab"
      data-beside={beside || undefined}
      title={beside ? "At the right" : undefined}
    >
      {name}
      {badge !== null && (
        <span className="tab-count" aria-hidden="true">
          {badge}
        </span>
      )}
    </Tabs.Tab>
  );
}
