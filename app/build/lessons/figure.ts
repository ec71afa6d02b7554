// Figure. An SVG of the lesson's figures/ as markup in the page, so that currentColor and the page's variables reach it and
// it follows the theme. In the Markdown it is an ordinary image.
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Image, Nodes } from "mdast";
import { type DirectiveNode, directiveNode, type Page } from "./page.ts";

/** The directive's content is one image, then its caption. */
export function figure(node: Nodes & { children: Nodes[] }, page: Page): DirectiveNode | null {
  const [first, ...caption] = node.children;
  const image = first?.type === "paragraph" && first.children.length === 1 ? first.children[0] : undefined;
  if (image?.type !== "image") {
    page.report(
      node,
      ":::figure begins with one image in a paragraph of its own: ![what it shows](figures/name.svg).",
    );
    return null;
  }
  const svg = drawing(image, page);
  if (svg === null) return null;
  const name = basename(image.url, ".svg");
  return directiveNode(node, "lesson-figure", { name, alt: image.alt ?? "", svg }, caption);
}

function drawing(image: Image, page: Page): string | null {
  const file = page.inFolder(image.url);
  const refuse = (sentence: string) => {
    page.report(image, sentence);
    return null;
  };
  if (!image.url.endsWith(".svg")) return refuse("A figure is an SVG of this lesson's figures/.");
  // Also one that is missing: when it comes, the mistake is gone.
  if (file) page.files.add(file);
  if (!file || !existsSync(file)) return refuse(`There is no file ${image.url} in this lesson's folder.`);
  if (!image.alt) return refuse("A figure says what it shows, for those who do not see it: ![here](…).");
  const svg = readFileSync(file, "utf8")
    .replace(/<\?xml[\s\S]*?\?>|<!DOCTYPE[^>]*>|<!--[\s\S]*?-->/g, "")
    .trim();
  if (!/^<svg\b[^>]*\bviewBox=/.test(svg))
    return refuse(`${image.url} must begin with <svg> and have a viewBox, so that it can be scaled.`);
  if (/<(script|foreignObject|image)\b|\son\w+=|\b(href|src)="(?!#)/.test(svg))
    return refuse(`${image.url} may draw only: no script, no handler, nothing from elsewhere.`);
  // A style sheet in an inlined drawing is one of the whole page.
  if (/<style\b/.test(svg))
    return refuse(`${image.url} has a <style>: write fill="var(--ready)" at the shapes instead.`);
  return ownIds(svg, basename(image.url, ".svg"));
}

/** Two drawings on a page may both call something "arrow". */
function ownIds(svg: string, name: string): string {
  return svg
    .replace(/\bid="([^"]+)"/g, `id="${name}-$1"`)
    .replace(/url\(#([^)]+)\)/g, `url(#${name}-$1)`)
    .replace(/\bhref="#([^"]+)"/g, `href="#${name}-$1"`)
    .replace(/\baria-labelledby="([^"]+)"/g, `aria-labelledby="${name}-$1"`);
}
