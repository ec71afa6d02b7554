// Clients menu. The button next to Run: one click sends a client with its defaults; the pane has the rest.
import "../../../style/clients.css";
import { Menu } from "@base-ui/react/menu";
import { useStore } from "zustand";
import { labs, type RunView } from "../../../labs.ts";
import { openPane } from "../../view.ts";
import { kinds } from "./kinds.ts";
import { cannotSend, sendVisit } from "./send-visit.ts";

export function ClientsMenu({ program }: { program: RunView | null }) {
  const connection = useStore(labs.store, state => state.connection);
  const why = cannotSend(program, connection);
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger className="button quiet" title="Send clients against the running program">
        Clients
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner className="menu-place" sideOffset={4} align="end">
          <Menu.Popup className="menu" finalFocus={closedBy => closedBy === "keyboard"}>
            {why && <p className="menu-why">{why}</p>}
            {kinds
              .filter(({ kind }) => kind !== "raw")
              .map(({ kind, name, why: what }) => (
                <Menu.Item
                  key={kind}
                  className="menu-item"
                  disabled={why !== null}
                  title={what}
                  onClick={() => void sendVisit(program, { kind })}
                >
                  {name}
                </Menu.Item>
              ))}
            <Menu.Separator className="menu-rule" />
            <Menu.Item className="menu-item" onClick={() => openPane("Clients")}>
              More, in the Clients pane…
            </Menu.Item>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
