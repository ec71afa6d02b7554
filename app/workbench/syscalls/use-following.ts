// Whether the list stays at its end, and how it keeps a reader who has scrolled up where he is. Nothing here moves
// anything that the reader did not move.
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from "react";

/** Pixels; every row is as high. */
export const rowHeight = 22;

/**
 * @param place the element that scrolls
 * @param version changes whenever the list has
 * @param forgotten rows that the list has dropped at its beginning
 */
export function useFollowing(place: RefObject<HTMLDivElement | null>, version: number, forgotten: number) {
  const [following, setFollowing] = useState(true);
  const dropped = useRef(forgotten);
  const top = useRef(0);
  const height = useRef(0);

  // In the frame in which it grew, and without an animation.
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is what there is to follow.
  useLayoutEffect(() => {
    const list = place.current;
    if (!list) return;
    const gone = forgotten - dropped.current;
    dropped.current = forgotten;
    if (following) list.scrollTop = list.scrollHeight;
    else if (gone > 0) list.scrollTop -= gone * rowHeight;
    top.current = list.scrollTop;
  }, [place, following, version, forgotten]);

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
  };

  return { following, setFollowing, scrolled };
}
