// Page entry. Loads the styles, then the shell. Monaco and xterm, which reading does not need, load later.
import "@fontsource-variable/source-serif-4/opsz.css";
import "@fontsource-variable/source-serif-4/opsz-italic.css";
import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "./style/tokens.css";
import "./style/base.css";
import "./style/shell.css";
import "./style/contents.css";
import "./style/prose.css";
import "./style/words.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { lesson, loadText } from "./book.ts";
import { App } from "./shell/App.tsx";

// The lesson's text is on its way before React has begun; a lesson that does not come is said by its page.
const first = lesson(location.pathname.slice(1));
if (first) loadText(first.id).catch(() => {});

createRoot(document.getElementById("page")!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
