// Reloadable component. Code that is fetched when it is first shown, and fetched again after a failure.
// React's own `lazy` remembers a failed load for ever.
import { type ComponentType, createElement, lazy } from "react";

export interface Reloadable<Props extends object> {
  /** Suspends until the code is there. */
  Component: ComponentType<Props>;
  /** Fetches the code now. Rejects if it did not come. */
  load(): Promise<unknown>;
  /** After a failure: the code is fetched anew when the component is next shown. */
  reset(): void;
}

/** @param load imports the module; called again after reset() */
export function reloadable<Props extends object>(
  load: () => Promise<{ default: ComponentType<Props> }>,
): Reloadable<Props> {
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
    reset() {
      loading = undefined;
      current = lazy(once);
    },
  };
}
