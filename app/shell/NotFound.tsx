// Not-found page. Names the unknown address, and links to the nearest lesson.
import { Link } from "wouter";
import { contents, lesson } from "../book.ts";
import { Scroll } from "../reader/Scroll.tsx";
import { useTitle } from "../ui/hooks.ts";
import { nearestLesson } from "./nearest-lesson.ts";

export function NotFound({ id }: { id: string }) {
  useTitle("Nothing here");
  const near = nearestLesson(
    decode(id),
    contents().flatMap(({ lessons }) => lessons.map(({ id }) => id)),
  );
  return (
    <Scroll place="nothing">
      <main id="text" className="page" tabIndex={-1}>
        <h1>Nothing at this address</h1>
        <p className="lede">
          There is no lesson <code>/{decode(id)}</code> in this book.
        </p>
        {near && (
          <p>
            The nearest is <Link href={`/${near}`}>{lesson(near)!.title}</Link>.
          </p>
        )}
        <p>
          <Link href="/">All lessons</Link>
        </p>
      </main>
    </Scroll>
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // "%zz" is what was asked for
  }
}
