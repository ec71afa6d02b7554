// Byte queue. The number of its bytes, and a bar whose steps are even for each doubling, from 1 kB to 4 MB.
import { number } from "../../format.ts";

/** log2 of the largest number whose bar is distinct. */
const most = 22;

export function Queue({ name, bytes, full }: { name: string; bytes: number; full: boolean }) {
  const part = bytes === 0 ? 0 : Math.min(1, Math.max(0.04, Math.log2(bytes) / most));
  return (
    <div className="kernel-queue">
      <dt>{name}</dt>
      <dd className={bytes > 0 ? (full ? "failed" : "some") : "dim"}>
        <span className="kernel-bar" aria-hidden="true">
          <i style={{ width: `${part * 100}%` }} />
        </span>
        <span className="kernel-number">{number(bytes)}</span>
      </dd>
    </div>
  );
}
