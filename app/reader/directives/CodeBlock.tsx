// Code block. Coloured at build time, titled with its file, and copied with one press.
import type { ReactNode } from "react";
import { CopyButton } from "../../ui/Copy.tsx";

interface Props {
  lang: string;
  text: string;
  title?: string;
  /** The file that it is included from. */
  file?: string;
  children?: ReactNode;
}

export function CodeBlock({ lang, text, title, file, children }: Props) {
  const name = title ?? file;
  return (
    <figure className="code-block" data-lang={lang}>
      {name && <figcaption>{name}</figcaption>}
      {children}
      <CopyButton text={text} what={name ? `the code of ${name}` : "this code"} />
    </figure>
  );
}

/** Two blocks side by side, where there is room. */
export function Compare({ children }: { children?: ReactNode }) {
  return <div className="compare">{children}</div>;
}
