// A minimal client of WebDriver for WebKitGTK, which shares its engine with Safari: https://www.w3.org/TR/webdriver2/
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { openServer } from "../../../scripts/server.mjs";

const driverPath = process.env.WEBKIT_DRIVER_PATH ?? "/usr/bin/WebKitWebDriver";
const displayPath = "/usr/bin/Xvfb";
const missing = [driverPath, displayPath].filter((path) => !existsSync(path));

/** Why WebKit cannot be started here, with the fix; undefined if it can. */
export const noWebKit =
  missing.length === 0
    ? undefined
    : `WebKit was left out: there is no ${missing.join(" and no ")}. To run it: install both (Debian: ` +
      "apt-get install --no-install-recommends webkit2gtk-driver xvfb), or set WEBKIT_DRIVER_PATH to another driver.";

/**
 * A script to run in a page before its own (`firstScript` of `staticFiles`): it collects the page's errors for `errors()`,
 * since WebDriver without BiDi reports none.
 */
export const collectErrors = `(() => {
  const errors = (globalThis.collectedErrors = []);
  addEventListener("error", ({ message, target }) => {
    errors.push(message ?? "cannot load " + (target.src ?? target.href));
  }, true);
  addEventListener("unhandledrejection", ({ reason }) => errors.push("unhandled: " + reason));
  const { error } = console;
  console.error = (...args) => {
    errors.push(args.map(String).join(" "));
    error.apply(console, args);
  };
})()`;

/** Starts a program; `end()` ends it and waits until it has ended. */
function start(path, args, options) {
  const child = spawn(path, args, options);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  return {
    child,
    ended,
    end: () => {
      child.kill();
      return ended;
    },
  };
}

/** Starts an X server without a screen, on a free display. */
async function startDisplay() {
  const args = ["-displayfd", "3", "-screen", "0", "1280x900x24", "-nolisten", "tcp"];
  const server = start(displayPath, args, { stdio: ["ignore", "ignore", "ignore", "pipe"] });
  const number = await new Promise((resolve, reject) => {
    let text = "";
    server.child.stdio[3].on("data", (chunk) => (text += chunk).endsWith("\n") && resolve(text.trim()));
    server.ended.then(() => reject(new Error("Xvfb ended before it had a display")));
  });
  return { name: `:${number}`, end: server.end };
}

/** A free port: the driver cannot report one that it chooses itself. */
async function freePort() {
  const server = await openServer(() => {});
  await server.close();
  return Number(new URL(server.origin).port);
}

/**
 * Starts WebKit without a window on the screen. `open(url)` returns a page with `run(expression)`, and `errors()` if it has
 * the script `collectErrors`. One page is open at a time: a page in a second window or tab is hidden, and does not draw.
 *
 * @param {{ timeoutMs: number }} options - `timeoutMs`: time in which a page must load, and an expression settle. Below 5
 *   minutes: `fetch` waits no longer for an answer of the driver.
 */
export async function startWebKit({ timeoutMs }) {
  const display = await startDisplay();
  const port = await freePort();
  const driver = start(driverPath, [`--port=${port}`], {
    env: { ...process.env, DISPLAY: display.name, GDK_BACKEND: "x11" },
    stdio: "ignore",
  });
  let hasEnded = false;
  driver.ended.then(() => (hasEnded = true));
  const end = async () => {
    await driver.end();
    await display.end();
  };

  async function send(method, path, body) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: body && JSON.stringify(body),
    }).catch(({ cause }) => {
      throw new Error(`WebKitWebDriver does not answer ${method} ${path}: ${cause?.message}`);
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(value.message || value.error);
    return value;
  }

  /** Opens a session once the driver is ready. */
  async function openSession() {
    for (const last = Date.now() + timeoutMs; ; await pause(50)) {
      if ((await send("GET", "/status").catch(() => undefined))?.ready) break;
      if (hasEnded) throw new Error("WebKitWebDriver ended before it was ready");
      if (Date.now() > last) throw new Error(`WebKitWebDriver was not ready after ${timeoutMs / 1000} s`);
    }
    return send("POST", "/session", {
      capabilities: { alwaysMatch: { timeouts: { script: timeoutMs, pageLoad: timeoutMs } } },
    });
  }
  const { sessionId, capabilities } = await openSession().catch(async (error) => {
    await end();
    throw error;
  });
  const session = `/session/${sessionId}`;

  /** The value of an expression, or of the promise that it gives. */
  async function run(expression) {
    const script = `
      const [expression, done] = arguments;
      new Promise((resolve) => resolve((0, eval)(expression))).then(
        (value) => done({ value }),
        (error) => done({ error: String(error) }),
      );`;
    const { value, error } = await send("POST", `${session}/execute/async`, { script, args: [expression] });
    if (error !== undefined) throw new Error(error);
    return value;
  }
  return {
    version: `${capabilities.browserName} ${capabilities.browserVersion}`,
    async open(url) {
      await send("POST", `${session}/url`, { url });
      return {
        errors: () => run("collectedErrors"),
        run,
        close: () => send("POST", `${session}/url`, { url: "about:blank" }),
      };
    },
    async close() {
      await send("DELETE", session).catch(() => {});
      await end();
    },
  };
}
