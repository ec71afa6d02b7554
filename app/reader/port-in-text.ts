// Port in a text. Puts the port of a run in place of the lab's, in what a reader types, copies and follows.
import type { Element, Root, RootContent } from "hast";

/** Properties that are read, copied or followed. */
const said = ["command", "text", "title", "href"];

/**
 * Puts one port in place of another one in a lesson's text, commands and links. A program in it stays as it is: it is a
 * listing of a file.
 */
export function withRunPort(tree: Root, from: number, to: number): Root {
  const number = new RegExp(`(?<![\\d,.])${from}(?![\\d,]\\d|\\d|\\.\\d)`, "g");
  const put = (text: string) => text.replace(number, String(to));
  const one = <T extends Root | RootContent>(node: T): T => {
    if (node.type === "text") return { ...node, value: put(node.value) };
    if (!("children" in node) || isProgram(node)) return node;
    const children = (node.children as RootContent[]).map(one);
    if (node.type !== "element") return { ...node, children };
    const properties = Object.entries(node.properties).map(([name, value]) => [
      name,
      said.includes(name) && typeof value === "string" ? put(value) : value,
    ]);
    return { ...node, children, properties: Object.fromEntries(properties) };
  };
  return one(tree);
}

/** In what one types and sees in a shell the lab's port is the run's. */
const isProgram = (node: RootContent | Root): boolean =>
  node.type === "element" &&
  node.tagName === "lesson-code" &&
  !["shell", "text", "http"].includes(String((node as Element).properties.lang));
