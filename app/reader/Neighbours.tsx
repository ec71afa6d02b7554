// Neighbours. The pages before and after one, in reading order: how a chapter opens, its lessons, how it closes.
import { Link } from "wouter";
import { contents } from "../book.ts";

/** Every page that is read one after another. */
function readingOrder(): { id: string; title: string }[] {
  return contents().flatMap(({ id, title, lessons, closing }) => [
    { id, title },
    ...lessons,
    ...(closing ? [{ id: `${id}/closing`, title: closing.title }] : []),
  ]);
}

export function Neighbours({ id }: { id: string }) {
  const pages = readingOrder();
  const here = pages.findIndex(page => page.id === id);
  const [previous, next] = [pages[here - 1], pages[here + 1]];
  return (
    <nav className="neighbours" aria-label="Next to this page">
      {previous && (
        <Link href={`/${previous.id}`} className="neighbour">
          <span className="dim">Previous</span>
          {previous.title}
        </Link>
      )}
      {next ? (
        <Link href={`/${next.id}`} className="neighbour next">
          <span className="dim">Next</span>
          {next.title}
        </Link>
      ) : (
        <Link href="/" className="neighbour next">
          <span className="dim">This is the last page</span>
          All lessons
        </Link>
      )}
    </nav>
  );
}
