// Current lesson. The lesson that a piece of prose belongs to, as a React context.
import { createContext, useContext } from "react";
import type { LessonMeta } from "../book.ts";

const Here = createContext<LessonMeta | null>(null);

/** Says which lesson the words inside belong to. */
export const LessonOf = Here.Provider;

/** The lesson whose text this is; null in the texts of chapters. */
export function useLesson(): LessonMeta | null {
  return useContext(Here);
}
