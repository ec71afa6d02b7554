// Prose. A compiled text as React: HTML elements, and the components of directives.ts. The text is data: nothing in it can run.
import type { Root } from "hast";
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { memo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { components } from "./directives.ts";
import { useTreeOfRun } from "./run-port.ts";

/** Renders a tree; only a new tree, or a run on another port, renders it again. */
export const Prose = memo(function Prose({ tree }: { tree: Root }) {
  return <Tree tree={useTreeOfRun(tree)} />;
});

const Tree = memo(function Tree({ tree }: { tree: Root }) {
  return toJsxRuntime(tree, { Fragment, jsx, jsxs, components, passNode: true });
});
