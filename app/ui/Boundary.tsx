// Error boundary. A part of the page that crashes becomes a sentence and a button; the rest of the page goes on.
import { Component, type ReactNode } from "react";
import { visible } from "../../server-labs/protocol.ts";

interface Props {
  /** Names the part at the beginning of a sentence: "This lesson", "The editor". */
  name: string;
  /** A part of the workbench: the text and the program are safe, and the button loads its code again. */
  pane?: boolean;
  /** Runs before the part is shown again. */
  onRetry?: () => void;
  children: ReactNode;
}

/** An error may quote all that it could not read. */
const mostMessage = 1000;

export class Boundary extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  #retry = () => {
    this.props.onRetry?.();
    this.setState({ error: null });
  };

  override render() {
    const { error } = this.state;
    const { name, pane = false, children } = this.props;
    if (!error) return children;
    return (
      <div className={pane ? "pane-state" : "broken"} role="alert">
        <p>
          {pane
            ? `${name} has stopped working; your text and your program have not: `
            : `${name} cannot be shown: `}
          <code>{visible(error.message.slice(0, mostMessage))}</code>
        </p>
        <button type="button" className={pane ? "button" : "button small"} onClick={this.#retry}>
          {pane ? "Load it again" : "Try again"}
        </button>
      </div>
    );
  }
}
