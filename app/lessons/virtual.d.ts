// The modules that the lesson plugin makes up.

declare module "virtual:book" {
  import type { BookData, LessonContent } from "./content.ts";
  export const book: BookData;
  /** One lazy import for each lesson. */
  export const lessons: Record<string, () => Promise<{ default: LessonContent }>>;
}

declare module "virtual:lesson/*" {
  import type { LessonContent } from "./content.ts";

  const content: LessonContent;
  export default content;
}
