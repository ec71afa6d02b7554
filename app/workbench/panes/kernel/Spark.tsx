// Sparkline. The last minute of one number, as a line that shows whether it rises. Decoration: the number is beside it.
interface Props {
  /** From the oldest to the newest, evenly in time. */
  values: readonly number[];
}

const width = 64;
const height = 14;

export function Spark({ values }: Props) {
  const most = Math.max(...values, 0);
  if (values.length < 2 || most <= 0) return null;
  const x = (i: number) => ((i / (values.length - 1)) * width).toFixed(1);
  const y = (value: number) => (height - 0.5 - (Math.max(0, value) / most) * (height - 1)).toFixed(1);
  const points = values.map((value, i) => `${x(i)},${y(value)}`).join(" ");
  return (
    <svg className="kernel-spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
      <polyline points={points} />
    </svg>
  );
}
