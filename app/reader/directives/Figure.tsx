// Figure. A drawing inlined in the page, so that its lines take the text's colour in both themes. Where the page is narrow the
// drawing keeps a width at which its words can be read, and scrolls to the side.
import { type ReactNode, useEffect, useRef, useState } from "react";

interface Props {
  svg: string;
  alt: string;
  children?: ReactNode;
}

export function Figure({ svg, alt, children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const element = frame.current!;
    const observer = new ResizeObserver(() => setScrolls(element.scrollWidth > element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // A reader without a mouse must be able to scroll it.
  const focusable = scrolls ? { role: "group", tabIndex: 0, "aria-label": "Figure" } : {};
  return (
    <figure className="figure">
      <div className="figure-frame" ref={frame} {...focusable}>
        {/* The markup is a file of the book, checked and cleaned by the lesson compiler; no reader's text gets here. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: as above */}
        <div role="img" aria-label={alt} dangerouslySetInnerHTML={{ __html: svg }} />
      </div>
      {children && <figcaption>{children}</figcaption>}
    </figure>
  );
}
