// Icons. The few signs of the interface, on one 16 px grid, in the colour of the text around them.

const paths = {
  previous: "M10 3.500 5.500 8l4.500 4.500",
  next: "M6 3.500 10.500 8 6 12.500",
  system: "M8 2.5a5.5 5.5 0 1 0 0 11ZM8 2.5a5.5 5.5 0 0 1 0 11Z",
  light:
    "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1.100 1.100M11.900 11.900 13 13M3 13l1.100-1.100M11.900 4.100 13 3",
  dark: "M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7Z",
  help: "M5.800 6a2.200 2.200 0 1 1 3.300 1.900c-.7.4-1.100.8-1.100 1.600M8 11.900v.1M8 1.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Z",
  reference:
    "M2.500 3.500C4.500 2.500 6.500 2.700 8 4v9c-1.500-1.300-3.500-1.500-5.500-.5ZM8 4c1.500-1.300 3.500-1.500 5.500-.5v9C11.500 11.500 9.500 11.700 8 13",
  fold: "M2.500 3.500h11v9h-11ZM9 3.500v9M5 6.500 6.500 8 5 9.500",
  unfold: "M2.500 3.500h11v9h-11ZM9 3.500v9",
  back: "M13 8H3.500M7.500 4l-4 4 4 4",
  close: "m4 4 8 8M12 4l-8 8",
  rename: "M11 2.500 13.500 5l-7.500 7.500-3.200.7.7-3.200ZM9.300 4.200l2.500 2.500",
  beside: "M2.500 3.500h11v9h-11ZM8 3.500v9",
  maximise: "M9.500 2.500h4v4M13.500 2.500 9.500 6.500M6.500 13.500h-4v-4M2.500 13.500l4-4",
  restore: "M13.500 6.500h-4v-4M9.500 6.500l4-4M2.500 9.500h4v4M6.500 9.500l-4 4",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.3"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      {name === "system" && <path d="M8 2.5a5.5 5.5 0 0 1 0 11Z" fill="currentColor" />}
    </svg>
  );
}
