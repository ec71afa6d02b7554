// Pane tools. At the end of the panes' bar: which pane is beside the open one, and a button that maximises one.
import { Menu } from "@base-ui/react/menu";
import { useStore } from "zustand";
import { keyNames } from "../keys.ts";
import { Icon } from "../ui/Icon.tsx";
import type { PaneName } from "./panes.ts";
import { chooseSecond, panesInView, toggleMaximised, view, widths } from "./view.ts";

export function PaneTools({ names }: { names: PaneName[] }) {
  const maximised = useStore(view, state => state.maximised);
  const room = useStore(view, state => state.width >= widths.two);
  const what = maximised === null ? "Maximise" : "Back to the editor and the panes";
  return (
    <div className="panes-tools">
      {room && maximised === null && <Second names={names} />}
      <button
        type="button"
        className="icon"
        aria-label={what}
        aria-pressed={maximised !== null}
        title={`${what} (${keyNames.maximise})`}
        onClick={() => toggleMaximised(panesInView(view.getState()).first)}
      >
        <Icon name={maximised === null ? "maximise" : "restore"} />
      </button>
    </div>
  );
}

function Second({ names }: { names: PaneName[] }) {
  const now = useStore(view);
  const { first, second } = panesInView(now);
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger
        className="icon"
        aria-label="Second pane"
        title={second ? `${second} is at the right` : "A second pane, at the right"}
      >
        <Icon name="beside" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" sideOffset={4} align="end">
          <Menu.Popup className="menu">
            <Menu.RadioGroup
              value={second ?? "none"}
              onValueChange={(chosen: PaneName | "none") => chooseSecond(chosen)}
            >
              {(["none", ...names] as const)
                .filter(name => name !== first)
                .map(name => (
                  <Menu.RadioItem key={name} value={name} className="menu-item" closeOnClick>
                    <span className="menu-mark">
                      <Menu.RadioItemIndicator>✓</Menu.RadioItemIndicator>
                    </span>
                    {name === "none" ? "One pane" : `${name} at the right`}
                  </Menu.RadioItem>
                ))}
            </Menu.RadioGroup>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
