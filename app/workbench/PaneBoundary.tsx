// A pane that crashes is one pane less, never a blank page: its message, and a way to load it again.
import { Component, type ReactNode } from "react";

interface Props {
  /** What the pane is called: "The editor", "Output". */
  name: string;
  /** Called before it is loaded again. */
  onReload?: () => void;
  children: ReactNode;
}

export class PaneBoundary extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  #reload = () => {
    this.props.onReload?.();
    this.setState({ error: null });
  };

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="pane-state" role="alert">
        <p>{this.props.name} has stopped working; your text and your program have not.</p>
        <p className="dim">
          <code>{error.message}</code>
        </p>
        <button type="button" className="button" onClick={this.#reload}>
          Load it again
        </button>
      </div>
    );
  }
}
