// Lab server state. A dot with words in the title bar, and behind it what they mean and what to do.
import { useEffect, useRef, useState } from "react";
import { useStore } from "zustand";
import { sentence } from "../../server-labs/protocol.ts";
import { type ConnectionState, labs } from "../labs.ts";
import { sideBySide, useMedia } from "../ui/hooks.ts";

interface State {
  colour: string;
  short: string;
  /** Where the bar has room for a sentence. */
  wide: string;
  long: string;
}

// The button's name holds none of the words Run, Stop, Check: those are the names of other buttons.
const words: Record<ConnectionState, State> = {
  connecting: {
    colour: "waiting",
    short: "connecting",
    wide: "looking for the lab server",
    long: "Looking for the lab server…",
  },
  ready: {
    colour: "ready",
    short: "lab server ready",
    wide: "lab server ready",
    long: "Labs run on this machine, as real processes.",
  },
  away: {
    colour: "failed",
    short: "lab server away",
    wide: "The lab server is away. You can read and edit; to bring it back: npm start",
    long: "The lab server is not running. You can read, and edit: your text is kept in this browser. To run labs, type in the workbook's folder:",
  },
  locked: {
    colour: "waiting",
    short: "not connected",
    wide: "For the labs, open the link printed in the terminal",
    long: "This page has no key to the lab server. Open the link printed in the terminal where it was started. If that has scrolled away, this prints it again:",
  },
  "old-link": {
    colour: "waiting",
    short: "old link",
    wide: "This link is from an earlier start: for the labs, open the newest one",
    long: "This link is from an earlier start of the lab server, and each start prints its own. Pages that are open already go on. Open the newest link in the terminal; this prints it again:",
  },
  unproven: {
    colour: "failed",
    short: "not your lab server",
    wide: "What answers here is not your lab server. For the labs, open the newest link",
    long: "Another program answers at this address: it did not prove that it is your lab server. The page sends it nothing, and your text is kept in this browser. Open the newest link in the terminal; this prints it again:",
  },
};

export function ServerState() {
  const connection = useStore(labs.store, state => state.connection);
  const hello = useStore(labs.store, state => state.hello);
  const roomy = useMedia(sideBySide);
  const back = useBack(connection);
  const { short, wide, colour, long } = words[connection];
  return (
    <>
      {/* The button's name is its words; the region around it says them when they change. */}
      <div role="status">
        <button type="button" className="server" popoverTarget="server-state">
          <i className={`dot ${colour}`} aria-hidden="true" />
          <span>{back ? "The lab server is back" : roomy ? wide : short}</span>
        </button>
      </div>
      <div id="server-state" className="popover" popover="auto">
        <p>{long}</p>
        {connection !== "ready" && connection !== "connecting" && <pre className="shell">npm start</pre>}
        {connection === "away" && <p className="dim">This page finds it again by itself.</p>}
        {hello && connection === "ready" && (
          <dl>
            <dt>Your work</dt>
            <dd>
              <code>{hello.workspace}</code>
            </dd>
            <dt>Sandbox</dt>
            <dd>{sentence(hello.sandbox.statement)}</dd>
            <dt>Version</dt>
            <dd>{hello.version}</dd>
          </dl>
        )}
      </div>
    </>
  );
}

/** True for a few seconds after it came back, so that the bar says so once. */
function useBack(connection: ConnectionState): boolean {
  const was = useRef(connection);
  const [back, setBack] = useState(false);
  useEffect(() => {
    const returned = was.current === "away" && connection === "ready";
    was.current = connection;
    setBack(returned);
    if (!returned) return;
    const timer = setTimeout(() => setBack(false), 6000);
    return () => clearTimeout(timer);
  }, [connection]);
  return back;
}
