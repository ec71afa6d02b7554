// An address is taken only in the one form that cannot be read in two ways: what the gate compared is what is looked up.

/** Let in: the address, decoded. A router looks at these segments only, never at the raw URL again. */
export interface Passed {
  path: string;
  segments: string[];
  query: URLSearchParams;
}

/** The address, if it is written in the one form that cannot be read in two ways; else null. */
export function parse(target: string): Passed | null {
  if (!target.startsWith("/") || target.startsWith("//") || target.includes("#")) return null;
  try {
    const url = new URL(target, "http://lab");
    // Whatever URL had to mend ("/a/../b", "/a\b", a raw space) is not what it was compared with.
    if (url.pathname !== target.split("?", 1)[0]) return null;
    const segments = url.pathname.slice(1).split("/").map(decodeURIComponent);
    if (segments.some(segment => /[/\\\0]/.test(segment) || segment === "." || segment === "..")) return null;
    return { path: url.pathname, segments, query: url.searchParams };
  } catch {
    return null; // "%zz" cannot be decoded
  }
}
