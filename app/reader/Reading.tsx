// Reading column. The lesson's place in the book, its text, and the links to its neighbours.
import { Link } from "wouter";
import type { LessonContent, LessonMeta } from "../book.ts";
import { Boundary } from "../ui/Boundary.tsx";
import { Forgets } from "./Forgets.tsx";
import { LessonOf } from "./here.ts";
import { Neighbours } from "./Neighbours.tsx";
import { Prose } from "./Prose.tsx";
import { Scroll } from "./Scroll.tsx";

interface Props {
  lesson: LessonMeta;
  content: LessonContent | null;
  /** Why the text did not come. */
  problem: string | null;
}

export function Reading({ lesson, content, problem }: Props) {
  return (
    <Scroll place={lesson.id} ready={content !== null}>
      <main id="text" className="page lesson" tabIndex={-1} aria-busy={!content && !problem}>
        <article>
          <header className="lesson-head">
            <p className="lesson-place">
              <Link href={`/${lesson.chapter.id}`}>{lesson.chapter.title}</Link>
              {lesson.course && (
                <span className="lesson-course" title="The section of the course that this lesson ports">
                  {" "}
                  · section {lesson.course} of the course
                </span>
              )}
              {lesson.minutes && <span className="lesson-course"> · {lesson.minutes} minutes</span>}
            </p>
            <h1>{lesson.title}</h1>
            <p className="lede">{lesson.summary}</p>
            <Forgets />
          </header>
          {problem && (
            <p className="broken" role="alert">
              The text of this lesson did not come: {problem} Is the lab server running?
            </p>
          )}
          {content && (
            <div className="prose">
              <Boundary name="The text of this lesson">
                <LessonOf value={lesson}>
                  <Prose tree={content.tree} />
                </LessonOf>
              </Boundary>
            </div>
          )}
        </article>
        {(content || problem) && <Neighbours id={lesson.id} />}
      </main>
    </Scroll>
  );
}
