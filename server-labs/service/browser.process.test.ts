// The browser gets the ticket in a file, not in an argument, and opens only where a person can look at it.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../fixtures/test-lab-server.ts";
import { canOpenBrowser, closeBrowserFile, openBrowser } from "./browser.ts";

test("opens only for a person at a terminal with a screen", () => {
  assert.ok(canOpenBrowser({ DISPLAY: ":0" }, true));
  assert.ok(canOpenBrowser({ WAYLAND_DISPLAY: "wayland-0" }, true));
  assert.ok(canOpenBrowser({ WSL_DISTRO_NAME: "Debian" }, true));
  assert.ok(!canOpenBrowser({}, true));
  assert.ok(!canOpenBrowser({ DISPLAY: ":0" }, false));
  assert.ok(!canOpenBrowser({ DISPLAY: ":0", CI: "true" }, true));
  assert.ok(!canOpenBrowser({ DISPLAY: ":10.0", SSH_CONNECTION: "a b" }, true));
});

test("the browser gets a file of ours that leads on; the ticket is in no argument", {
  timeout: 60_000,
}, async t => {
  const { folder, gone } = temporaryFolder();
  t.after(gone);
  const link = "http://127.0.0.1:7800/#t=the-ticket";
  // A browser that writes to a socket the arguments with which it was started.
  const connected = new Promise<string>(resolve => {
    const server = createServer(socket => {
      let text = "";
      socket.on("data", chunk => {
        text += chunk;
      });
      socket.on("end", () => {
        server.close();
        resolve(text);
      });
    });
    server.listen(join(folder, "report"));
    t.after(() => server.close());
  });
  const browser = join(folder, "browser");
  writeFileSync(
    browser,
    `#!${process.execPath}\nrequire("net").connect(${JSON.stringify(join(folder, "report"))}).end(JSON.stringify(process.argv));\n`,
  );
  chmodSync(browser, 0o755);
  // It is this person's browser, as the desktops ask for it, and as those without a desktop do.
  mkdirSync(join(folder, "applications"));
  writeFileSync(
    join(folder, "applications/test-browser.desktop"),
    `[Desktop Entry]\nType=Application\nName=Test\nExec=${browser} %U\nMimeType=text/html;\n`,
  );
  writeFileSync(join(folder, "mimeapps.list"), "[Default Applications]\ntext/html=test-browser.desktop\n");
  const before = { ...process.env };
  const xdg = { XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, XDG_DATA_DIRS: folder };
  Object.assign(process.env, { BROWSER: browser, DISPLAY: ":0", XDG_CURRENT_DESKTOP: "X-Generic", ...xdg });
  t.after(() => {
    process.env = before;
  });
  await openBrowser(link, folder);
  const file = join(folder, "opening-the-workbook.html");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, "utf8"), /content="0; url=http:\/\/127\.0\.0\.1:7800\/#t=the-ticket"/);
  const argv = await connected;
  assert.match(argv, /opening-the-workbook\.html/);
  assert.doesNotMatch(argv, /the-ticket/);
  await closeBrowserFile(folder);
  assert.ok(!existsSync(file));
});
