// A minimal client of WebDriver BiDi, which Firefox supports without a driver: https://www.w3.org/TR/webdriver-bidi/
/* global WebSocket -- a global of Node 22 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const firefoxPath = [process.env.FIREFOX_PATH, "/usr/bin/firefox-esr", "/usr/bin/firefox"].find(
  (path) => path && existsSync(path),
);

// Key codes of WebDriver for keys that are not letters.
const keys = {
  Tab: "\uE004",
  Enter: "\uE007",
  Escape: "\uE00C",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
};

/**
 * Starts Firefox without a window. `open(url)` returns a page with `run(expression)`, `press(key)` and the errors that it
 * logged.
 *
 * @param {Record<string, string | number | boolean>} [settings] - Preferences of `about:config`, by name.
 */
export async function startFirefox(settings = {}) {
  const profile = mkdtempSync(join(tmpdir(), "qkv-firefox-"));
  writeFileSync(
    join(profile, "user.js"),
    Object.entries({
      "app.update.enabled": false,
      "network.captive-portal-service.enabled": false,
      "toolkit.telemetry.enabled": false,
      ...settings,
    })
      .map((pref) => `user_pref(${pref.map((part) => JSON.stringify(part)).join()});`)
      .join("\n"),
  );
  const child = spawn(
    firefoxPath,
    ["--headless", "--no-remote", "--remote-debugging-port=0", "--profile", profile],
    {
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const address = await new Promise((resolve, reject) => {
    let text = "";
    child.on("exit", () => reject(new Error(`Firefox ended: ${text}`)));
    child.stderr.on("data", (chunk) => {
      text += chunk;
      const found = /WebDriver BiDi listening on (ws:\S+)/.exec(text)?.[1];
      if (found) resolve(found);
    });
  });
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error("Firefox does not answer"));
  });
  let count = 0;
  const waiting = new Map();
  const logged = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.method === "log.entryAdded" && message.params.level === "error")
      logged.push(message.params.text);
    const done = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.type === "success") done?.resolve(message.result);
    else if (message.type === "error") done?.reject(new Error(message.message));
  };
  const send = (method, params) =>
    new Promise((resolve, reject) => {
      waiting.set(++count, { resolve, reject });
      socket.send(JSON.stringify({ id: count, method, params }));
    });
  await send("session.new", { capabilities: {} });
  await send("session.subscribe", { events: ["log.entryAdded"] });
  return {
    async open(url, viewport) {
      logged.length = 0;
      const { context } = await send("browsingContext.create", { type: "tab" });
      if (viewport) await send("browsingContext.setViewport", { context, viewport });
      await send("browsingContext.navigate", { context, url, wait: "complete" });
      return {
        errors: () => [...logged],
        async run(expression) {
          const { result, exceptionDetails } = await send("script.evaluate", {
            expression,
            target: { context },
            awaitPromise: true,
          });
          if (exceptionDetails) throw new Error(exceptionDetails.text);
          return result.value;
        },
        press: (key) =>
          send("input.performActions", {
            context,
            actions: [
              {
                type: "key",
                id: "keyboard",
                actions: ["keyDown", "keyUp"].map((type) => ({ type, value: keys[key] ?? key })),
              },
            ],
          }),
        close: () => send("browsingContext.close", { context }),
      };
    },
    async close() {
      await send("session.end", {}).catch(() => {});
      socket.close();
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill();
      await ended;
      rmSync(profile, { recursive: true, force: true });
    },
  };
}
