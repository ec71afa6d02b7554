// The prose column of a lesson: where it stands in the book, its text, and its neighbours.
import { Link } from "wouter";
import { lesson as find, type LessonContent, type LessonMeta } from "../book.ts";
import { Boundary } from "../shell/Boundary.tsx";
import { LessonOf } from "./here.ts";
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
              {lesson.chapter.title}
              {lesson.course && <span className="lesson-course"> · course {lesson.course}</span>}
              {lesson.minutes && <span className="lesson-course"> · {lesson.minutes} minutes</span>}
            </p>
            <h1>{lesson.title}</h1>
            <p className="lede">{lesson.summary}</p>
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
        {(content || problem) && <Neighbours lesson={lesson} />}
      </main>
    </Scroll>
  );
}

function Neighbours({ lesson }: { lesson: LessonMeta }) {
  const [previous, next] = [lesson.previous, lesson.next].map(id => (id ? find(id) : undefined));
  if (!previous && !next) return null;
  return (
    <nav className="neighbours" aria-label="Next to this lesson">
      {previous && (
        <Link href={`/${previous.id}`} className="neighbour">
          <span className="dim">Previous</span>
          {previous.title}
        </Link>
      )}
      {next && (
        <Link href={`/${next.id}`} className="neighbour next">
          <span className="dim">Next</span>
          {next.title}
        </Link>
      )}
    </nav>
  );
}
