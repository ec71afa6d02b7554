// Neighbours. Links to the pages before and after one.
import { Link } from "wouter";
import { contents } from "../book.ts";
import { neighboursOf } from "../reading-order.ts";

export function Neighbours({ id }: { id: string }) {
  const { previous, next } = neighboursOf(contents(), id);
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
