// Text hook. A text of the book when it has come; in development also whenever it is changed.
import { useEffect, useState } from "react";
import { loadText, onTextChange, type TextContent } from "../book.ts";

/** @param id of a lesson, whose content is a LessonContent, or of another text */
export function useText<Content extends TextContent = TextContent>(
  id: string,
): { content: Content | null; problem: string | null } {
  const [content, setContent] = useState<Content | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let gone = false;
    loadText<Content>(id).then(
      loaded => !gone && setContent(loaded),
      (error: Error) => !gone && setProblem(error.message),
    );
    const stop = onTextChange<Content>(id, setContent);
    return () => {
      gone = true;
      stop();
    };
  }, [id]);
  return { content, problem };
}
