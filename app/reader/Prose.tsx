// A compiled text as React: plain HTML elements as they are, and the words that prose may use as components. The
// tree is data from the lesson compiler; nothing in it can run.
import type { Root } from "hast";
import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { memo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import { components } from "./words.ts";

/** Renders a tree; only a new tree renders it again. */
export const Prose = memo(function Prose({ tree }: { tree: Root }) {
  return toJsxRuntime(tree, { Fragment, jsx, jsxs, components, passNode: true });
});
