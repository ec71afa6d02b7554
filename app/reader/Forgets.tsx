// Storage notice. One sentence where the browser keeps nothing for this page; nothing anywhere else.
import { isLocalKept } from "../storage.ts";

const isForgetful = !isLocalKept();

export function Forgets() {
  if (!isForgetful) return null;
  return (
    <p className="forgets">
      This browser keeps nothing for this page (does it block all cookies?): your answers, results and layout
      are forgotten when the page is reloaded, which then needs the printed link again; your programs are safe
      in the workspace.
    </p>
  );
}
