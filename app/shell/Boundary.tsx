// A part that crashes is one part less, never a blank page: what happened, and a way to show it again.
import { Component, type ReactNode } from "react";

interface Props {
  /** What the part is called at the beginning of a sentence: "This lesson". */
  name: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state = { error: null as Error | null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="broken" role="alert">
        <p>
          {this.props.name} cannot be shown: <code>{error.message}</code>
        </p>
        <button type="button" className="button small" onClick={() => this.setState({ error: null })}>
          Try again
        </button>
      </div>
    );
  }
}
