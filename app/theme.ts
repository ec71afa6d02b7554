// Theme. The reader's choice; the system's theme is the page without an attribute, where CSS alone follows the system.
import { createStore } from "zustand/vanilla";
import { local } from "./storage.ts";

export type Theme = "system" | "light" | "dark";
const themes: Theme[] = ["system", "light", "dark"];
const key = "workbook.theme"; // public/theme.js reads it before the first paint

export const theme = createStore<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? "system");

/** system → light → dark → system. */
export function nextTheme(now: Theme): Theme {
  return themes[(themes.indexOf(now) + 1) % themes.length]!;
}

export function chooseTheme(chosen: Theme): void {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  theme.setState(chosen, true);
  local.set(key, chosen);
}
