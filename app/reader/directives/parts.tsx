// Parts of a directive. A question has options: the parent finds its parts among its children by name.
import type { Element } from "hast";
import { Children, isValidElement, type ReactElement, type ReactNode } from "react";

interface PartProps {
  node?: Element;
  children?: ReactNode;
  correct?: boolean;
}

/** A part that its parent shows as it is. */
export function DirectivePart({ children }: PartProps) {
  return <>{children}</>;
}

/** The children that are this part, in order. */
export function partsOf(children: ReactNode, name: string): ReactElement<PartProps>[] {
  return Children.toArray(children).filter(
    (child): child is ReactElement<PartProps> =>
      isValidElement<PartProps>(child) && child.props.node?.tagName === name,
  );
}

/** A part's own children; nothing if there is no such part. */
export function partOf(children: ReactNode, name: string): ReactNode {
  return partsOf(children, name)[0]?.props.children ?? null;
}
