// Theme switch. One button for three themes: the system's, light, dark.
import { useStore } from "zustand";
import { chooseTheme, nextTheme, theme } from "../theme.ts";
import { Icon } from "../ui/Icon.tsx";

export function ThemeSwitch() {
  const now = useStore(theme);
  const next = nextTheme(now);
  const said = `Theme: ${now}. Change to ${next}`;
  return (
    <button type="button" className="icon" aria-label={said} title={said} onClick={() => chooseTheme(next)}>
      <Icon name={now} />
    </button>
  );
}
