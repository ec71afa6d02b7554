// Filter bar. The field over the list: which calls are shown, how many of how many, and which cannot be shown any more.
import { Autocomplete } from "@base-ui/react/autocomplete";
import { type RefObject, useState } from "react";
import { useStore } from "zustand";
import { count } from "../../../../server-labs/protocol.ts";
import type { CallList } from "../../../labs.ts";
import { number } from "../../format.ts";
import { filter, setFilter, toggleWord, wordsOf } from "./filter.ts";
import { type Suggestion, suggestions } from "./suggestions.ts";

interface Props {
  calls: CallList;
  /** Calls that the filter lets through. */
  shown: number;
  field: RefObject<HTMLInputElement | null>;
}

const states = [
  ["ready", "ready", "It got something done"],
  ["waiting", "would block", "It would block, is in progress, or is asleep"],
  ["failed", "failed", "It failed with an error"],
] as const;

export function FilterBar({ calls, shown, field }: Props) {
  const text = useStore(filter, state => state.text);
  const words = wordsOf(text);
  return (
    <search className="syscalls-filter">
      <Field calls={calls} text={text} field={field} />
      <div className="syscalls-states">
        {states.map(([word, name, title]) => (
          <button
            key={word}
            type="button"
            className={word}
            title={title}
            aria-pressed={words.includes(word)}
            onClick={() => setFilter(toggleWord(text, word))}
          >
            {name}
          </button>
        ))}
      </div>
      {words.length > 0 && <Shown calls={calls} shown={shown} />}
    </search>
  );
}

/** Exact also about what cannot be filtered, as it was counted and not shown one by one. */
function Shown({ calls, shown }: { calls: CallList; shown: number }) {
  const counted = calls.total - calls.single;
  const sentence =
    counted > 0
      ? `${count(counted, "call")} counted, but not kept one by one: no filter can look at them.`
      : "";
  return (
    <>
      <span className="syscalls-shown" title={sentence}>
        {number(shown)} of {count(calls.total, "call")}
        {counted > 0 && <span className="dim">, {number(counted)} of them only counted</span>}
      </span>
      <button type="button" className="button quiet small" onClick={() => setFilter("")}>
        Clear
      </button>
    </>
  );
}

function Field({ calls, text, field }: { calls: CallList; text: string; field: Props["field"] }) {
  const [open, setOpen] = useState(false);
  const items = open ? suggestions(calls, text) : [];
  return (
    <Autocomplete.Root
      items={items}
      value={text}
      onValueChange={(next, { reason }) => {
        setFilter(next);
        // The word is complete: the list would lie over the rows. It opens again with the next key.
        if (reason === "item-press") setOpen(false);
      }}
      open={open && items.length > 0}
      onOpenChange={setOpen}
      openOnInputClick
      mode="none"
      itemToStringValue={(item: Suggestion) => item.text}
    >
      <Autocomplete.Input
        ref={field}
        className="syscalls-field"
        aria-label="Filter the calls"
        placeholder="Filter: fd:7 recv EAGAIN"
        title="Words: a call's name, fd:7, a peer (:51322), EAGAIN; with - in front: without them  ( / )"
        spellCheck={false}
        autoCapitalize="off"
      />
      <Autocomplete.Portal>
        <Autocomplete.Positioner sideOffset={4} align="start" className="suggestions-place">
          <Autocomplete.Popup className="suggestions">
            <Autocomplete.List>
              {(item: Suggestion) => (
                <Autocomplete.Item key={item.word} value={item} className="suggestion">
                  <code>{item.word}</code>
                  <span>{item.what}</span>
                </Autocomplete.Item>
              )}
            </Autocomplete.List>
          </Autocomplete.Popup>
        </Autocomplete.Positioner>
      </Autocomplete.Portal>
    </Autocomplete.Root>
  );
}
