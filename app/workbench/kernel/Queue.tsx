// A queue of octets: how many, and a bar that doubles in length from 1 kB to 4 MB in even steps.
import { number } from "../words.ts";

/** log2 of the largest that is told apart. */
const most = 22;

export function Queue({ name, octets, full }: { name: string; octets: number; full: boolean }) {
  const part = octets === 0 ? 0 : Math.min(1, Math.max(0.04, Math.log2(octets) / most));
  return (
    <div className="kernel-queue">
      <dt>{name}</dt>
      <dd className={octets > 0 ? (full ? "failed" : "some") : "dim"}>
        <span className="kernel-bar" aria-hidden="true">
          <i style={{ width: `${part * 100}%` }} />
        </span>
        <span className="kernel-number">{number(octets)}</span>
      </dd>
    </div>
  );
}
