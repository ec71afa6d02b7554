// Clipped text. A sentence in the room that a bar has for it; when it is cut off, a button beside it shows all of it.
import { Popover } from "@base-ui/react/popover";
import { useLayoutEffect, useRef, useState } from "react";

export function Clipped({ text }: { text: string }) {
  const shown = useRef<HTMLSpanElement>(null);
  const [cut, setCut] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text may have another width in the same room.
  useLayoutEffect(() => {
    const element = shown.current!;
    const measure = () => setCut(element.scrollWidth > element.clientWidth + 1);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [text]);
  return (
    <span className="clipped">
      <span ref={shown} className="clipped-text" title={cut ? text : undefined}>
        {text}
      </span>
      {cut && (
        <Popover.Root>
          <Popover.Trigger className="clipped-more" aria-label="Show all of it" title="Show all of it">
            all
          </Popover.Trigger>
          <Popover.Portal>
            <Popover.Positioner sideOffset={6} align="end" className="clipped-place">
              <Popover.Popup className="clipped-whole">{text}</Popover.Popup>
            </Popover.Positioner>
          </Popover.Portal>
        </Popover.Root>
      )}
    </span>
  );
}
