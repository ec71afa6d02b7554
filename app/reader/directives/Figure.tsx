// Figure. A drawing inlined in the page, so that its lines take the text's colour in both themes.
import type { ReactNode } from "react";

interface Props {
  svg: string;
  alt: string;
  children?: ReactNode;
}

export function Figure({ svg, alt, children }: Props) {
  return (
    <figure className="figure">
      {/* The markup is a file of the book, checked and cleaned by the lesson compiler; no reader's text gets here. */}
      {/* biome-ignore lint/security/noDangerouslySetInnerHtml: as above */}
      <div role="img" aria-label={alt} dangerouslySetInnerHTML={{ __html: svg }} />
      {children && <figcaption>{children}</figcaption>}
    </figure>
  );
}
