// Links. Checks the links of prose: to a page ("/epoll/the-mask#quiz"), to a heading of this page ("#the-loop"), or to the web.
// Those inside the book are checked down to the heading.
import type { Link } from "mdast";
import { suggestion } from "../../../server-labs/protocol.ts";
import type { Page } from "./page.ts";

/** @param anchors for each address in the book what may follow # there */
export function checkLink(
  node: Link,
  page: Page,
  anchors: ReadonlyMap<string, () => readonly string[]>,
): void {
  const { url } = node;
  if (/^https?:\/\/[^/]/.test(url)) return;
  const match = /^(?:\/([^#]*))?(?:#(.+))?$/.exec(url);
  if (!match || url === "") {
    const sentence = `A link leads to /<chapter>/<lesson>, to #<heading>, or to the web; "${url}" does not.`;
    page.report(node, sentence);
    return;
  }
  const [, target, heading] = match;
  if (target === "") return; // "/" is the contents
  const id = target ?? page.id;
  if (target !== undefined && !anchors.has(target)) {
    const ids = [...anchors.keys()];
    page.report(node, `There is no page "/${target}".${suggestion(target, ids, "pages")}`, url);
  } else if (heading && id) {
    const known = anchors.get(id)!();
    if (!known.includes(heading))
      page.report(
        node,
        `"/${id}" has no heading "#${heading}".${suggestion(heading, known, "headings")}`,
        url,
      );
  }
}
