// React's lazy remembers a failed load for ever; a pane whose code did not arrive must be able to ask again.
import { type ComponentType, createElement, lazy } from "react";

export interface AgainLazy<Props extends object> {
  /** The component, loaded when it is first shown; suspends until it is there. */
  Component: ComponentType<Props>;
  /** Loads the code now, so that it is there when it is shown. Rejects if it did not come. */
  load(): Promise<unknown>;
  /** After a failure: the next time it is shown, it is loaded anew. */
  again(): void;
}

/** @param load imports the module; called again after a failure */
export function againLazy<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): AgainLazy<Props> {
  let loading: ReturnType<typeof load> | undefined;
  const once = () => {
    loading ??= load();
    return loading;
  };
  let current = lazy(once);
  const shown = (props: Props) => createElement(current as unknown as ComponentType<Props>, props);
  return {
    Component: shown,
    load: once,
    again() {
      loading = undefined;
      current = lazy(once);
    },
  };
}
