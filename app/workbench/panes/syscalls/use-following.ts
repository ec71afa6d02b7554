// Following hook. Keeps the list at its end, or where the reader has scrolled to: it moves nothing that the reader did
// not move.
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Pixels; every row is as high. */
export const rowHeight = 22;

interface Lines {
  /** Changes when lines were taken out, and others have other indexes. */
  thinnings: number;
  /** What names a line, whatever its index; null when there is none. */
  idAt(index: number): number | null;
  /** -1 when it is not there any more. */
  indexOf(id: number): number;
}

/**
 * @param place the element that scrolls
 * @param version changes whenever the list has
 */
export function useFollowing(place: RefObject<HTMLDivElement | null>, version: number, lines: Lines) {
  const [following, setFollowing] = useState(true);
  const { thinnings } = lines;
  const thinned = useRef(thinnings);
  /** The line at the top of the view, and the pixels of it that are above. */
  const anchor = useRef<{ id: number | null; above: number }>({ id: null, above: 0 });
  const top = useRef(0);
  const height = useRef(0);

  // In the frame in which it grew, and without an animation.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is what there is to follow.
  useLayoutEffect(() => {
    const list = place.current;
    if (!list) return;
    const isThinned = thinnings !== thinned.current;
    thinned.current = thinnings;
    const { id, above } = anchor.current;
    if (following) list.scrollTop = list.scrollHeight;
    else if (isThinned && id !== null) list.scrollTop = lines.indexOf(id) * rowHeight + above;
    top.current = list.scrollTop;
  }, [place, following, version, thinnings]);

  // A pane that was hidden, or was made higher, is at its end again if it was there.
  useEffect(() => {
    const list = place.current;
    if (!list) return;
    const size = new ResizeObserver(() => {
      height.current = list.clientHeight;
      if (following) list.scrollTop = list.scrollHeight;
    });
    size.observe(list);
    return () => size.disconnect();
  }, [place, following]);

  const scrolled = () => {
    const { scrollTop, scrollHeight, clientHeight } = place.current!;
    if (clientHeight === 0) return;
    // Another height moves the list by itself, and the observer above puts it where it belongs.
    if (clientHeight !== height.current) return;
    // Growing moves the end away without anybody scrolling: only going up is a wish to stay.
    if (scrollHeight - scrollTop - clientHeight < rowHeight) setFollowing(true);
    else if (scrollTop < top.current) setFollowing(false);
    top.current = scrollTop;
    const index = Math.floor(scrollTop / rowHeight);
    anchor.current = { id: lines.idAt(index), above: scrollTop - index * rowHeight };
  };

  return { following, setFollowing, scrolled };
}
