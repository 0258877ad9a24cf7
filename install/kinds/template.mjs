// The projects that `npm create qkv` makes: each is created, installed, built, and writes a text.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serving, withPage } from "../browser.mjs";
import { freePort } from "../registry.mjs";

const creator = "create-qkv";
const next = "node_modules/next/dist/bin/next";
const prompt = "Once upon a time";

/** Each template: `built` makes it ready, `walked` uses it as a reader does. */
const templates = {
  vite: { built: npmBuild, walked: ({ folder }) => serving(join(folder, "dist"), writesInPage) },
  worker: { built: npmBuild, walked: ({ folder }) => serving(join(folder, "dist"), writesInPage) },
  next: {
    built: npmBuild,
    walked: (made) =>
      whileRunning(made, (port) => [next, "start", "-H", "127.0.0.1", "-p", String(port)], showsAttention),
  },
  node: { built: npmInstall, walked: (made) => whileRunning(made, () => ["server.js"], streams) },
  html: {
    // As jsDelivr answers: the files of the package that npm installs.
    built: ({ project, folder }) =>
      project.run("npm", ["install", "--no-save", "--ignore-scripts", "--prefix", `${folder}-cdn`, "qkv"]),
    walked: ({ folder }) =>
      serving(folder, (url) => writesInPage(url, join(`${folder}-cdn`, "node_modules/qkv"))),
  },
};

export async function run(project, { check }) {
  if (project.name !== creator) return;
  // Beside the project: a folder above with a package.json is the root of a workspace for some tools.
  const at = mkdtempSync(join(dirname(project.folder), "made-"));
  for (const [name, { built, walked }] of Object.entries(templates)) {
    const made = { project, folder: join(at, name) };
    mkdirSync(`${made.folder}-cdn`);
    await check(`template ${name}, created by npm create`, async () => {
      const args = ["create", "--yes", "qkv@latest", name, "--", "--template", name, "--json"];
      const { folder } = JSON.parse((await project.run("npm", args, at)).trim().split("\n").at(-1));
      if (folder !== made.folder) throw new Error(`it was created in ${folder}`);
      project.installed = true;
    });
    await check(`template ${name}, built`, () => built(made));
    await check(`template ${name}, used`, () => walked(made));
  }
}

function npmInstall({ project, folder }) {
  return project.run("npm", ["install", "--ignore-scripts"], folder);
}

async function npmBuild(made) {
  await npmInstall(made);
  await made.project.run("npm", ["run", "build"], made.folder);
}

/** Presses Enter, reads what is written, stops it by Esc, and lets another text come to its end. */
function writesInPage(url, files) {
  return withPage(url, { cdn: files }, async (page) => {
    await page.waitForSelector("[type=submit]:enabled");
    await page.locator("input").first().press("Enter");
    await page.waitForFunction(
      (begun) => globalThis.document.querySelector("output").textContent.length > begun,
      prompt.length,
    );
    await page.keyboard.press("Escape");
    await page.waitForFunction(() =>
      /Stopped|Done/.test(globalThis.document.querySelector("[role=status]").textContent),
    );
    await page.locator("[type=submit]").click();
    await page.waitForFunction(
      () => globalThis.document.querySelector("[role=status]").textContent === "Done.",
    );
    const text = await page.locator("output").textContent();
    if (!text.startsWith(prompt) || text.length < 40) throw new Error(`it wrote: ${text}`);
  });
}

/** Sends a prompt, and waits for the answer and the picture of its attention. */
function showsAttention(url) {
  return withPage(url, {}, async (page) => {
    await page.waitForSelector("[type=submit]:enabled");
    await page.locator("input").press("Enter");
    await page.waitForSelector("li img");
    await page.waitForFunction(() => globalThis.document.querySelector("li img").naturalWidth > 100);
    const answer = await page.locator(".answer").textContent();
    if (answer.length < 20) throw new Error(`it answered: ${answer}`);
  });
}

/** Asks the service as its README does, and for what it refuses. */
async function streams(url) {
  const ask = (body) => fetch(`${url}generate`, { method: "POST", body });
  const answer = await ask(JSON.stringify({ prompt, seed: 1 }));
  const text = await answer.text();
  if (!answer.ok || text.length < 20) throw new Error(`${answer.status}: ${text}`);
  for (const body of ["{}", "no JSON", JSON.stringify({ prompt, maxTokens: -1 })]) {
    const { status } = await ask(body);
    if (status !== 400) throw new Error(`${body} gives ${status}`);
  }
}

/** Runs a server of a project while it is used. */
async function whileRunning({ project, folder }, args, use) {
  const port = await freePort();
  const env = { ...project.env, PORT: String(port) };
  const server = spawn(process.execPath, args(port), { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  let written = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (text) => (written += text));
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const url = `http://127.0.0.1:${port}/`;
  try {
    for (let tries = 0; tries < 1200 && !(await fetch(url).catch(() => undefined)); tries++) {
      if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode}:\n${written}`);
      await sleep(100);
    }
    await use(url);
  } finally {
    server.kill();
    await ended;
  }
}
