// Text page. A text of the book that is not a lesson, in the reading column: the reference, a chapter's glossary.
import type { ReactNode } from "react";
import { Boundary } from "../ui/Boundary.tsx";
import { useTitle } from "../ui/hooks.ts";
import { Prose } from "./Prose.tsx";
import { Scroll } from "./Scroll.tsx";
import { useText } from "./use-text.ts";

interface Props {
  id: string;
  title: string;
  summary: string;
  /** What is above the title. */
  place?: ReactNode;
  /** What is below the text. */
  children?: ReactNode;
}

export function TextPage({ id, title, summary, place, children }: Props) {
  useTitle(title);
  const { content, problem } = useText(id);
  return (
    <Scroll place={id} ready={content !== null}>
      <main id="text" className="page" tabIndex={-1} aria-busy={!content && !problem}>
        <article>
          <header className="lesson-head">
            {place && <p className="lesson-place">{place}</p>}
            <h1>{title}</h1>
            <p className="lede">{summary}</p>
          </header>
          {problem && (
            <p className="broken" role="alert">
              This text did not come: {problem} Is the lab server running?
            </p>
          )}
          {content && (
            <div className="prose">
              <Boundary name="This text">
                <Prose tree={content.tree} />
              </Boundary>
            </div>
          )}
        </article>
        {children}
      </main>
    </Scroll>
  );
}

/** All of workbook/net. */
export function NetReference({ id }: { id: string }) {
  return (
    <TextPage
      id={id}
      title="workbook/net"
      summary="Every function that a lab may call, with its system call: what it returns, when it waits, and which errors it throws."
    />
  );
}
