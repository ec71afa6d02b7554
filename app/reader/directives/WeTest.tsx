// "We test". What the lab's checks send and expect, one line for each.
import type { ReactNode } from "react";

export function WeTest({ children }: { children?: ReactNode }) {
  return (
    <section className="we-test" aria-label="We test">
      <p className="try-title" aria-hidden="true">
        We test
      </p>
      <ul>{children}</ul>
    </section>
  );
}

export function WeTestItem({ children }: { children?: ReactNode }) {
  return <li>{children}</li>;
}
