// Small choices that last: in local storage where there is one, and for this visit where it is forbidden.

/** What was remembered under a key, or null. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage is forbidden or full: the choice holds for this visit, where whoever made it keeps it.
  }
}

/** The same, as libraries want it. */
export const storage = { getItem: remembered, setItem: remember };
