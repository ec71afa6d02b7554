// The modules that the lesson plugin makes up.

declare module "virtual:book" {
  import type { BookData, TextContent } from "../../lesson-content.ts";
  export const book: BookData;
  /** One lazy import for each lesson, and for each other text. */
  export const texts: Record<string, () => Promise<{ default: TextContent }>>;
}

declare module "virtual:lesson/*" {
  import type { TextContent } from "../../lesson-content.ts";

  const content: TextContent;
  export default content;
}
