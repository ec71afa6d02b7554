// Guard. A component with an error boundary of its own.
import type { ComponentType } from "react";
import { Boundary } from "../../ui/Boundary.tsx";

/** @param name the word at the beginning of a sentence: "This figure" */
export function guarded<Props extends object>(Word: ComponentType<Props>, name: string) {
  return function Guarded(props: Props) {
    return (
      <Boundary name={name}>
        <Word {...props} />
      </Boundary>
    );
  };
}
