// Filter clicks. A click on a descriptor, a peer, a name or an error adds it to the filter; another click removes it.
import { filter, setFilter, toggleWord } from "./filter.ts";

/** @param event the click, which chooses nothing else then */
export function ask(event: { stopPropagation(): void }, word: string): void {
  event.stopPropagation();
  setFilter(toggleWord(filter.getState().text, word));
}
