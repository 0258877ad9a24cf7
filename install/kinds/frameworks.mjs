// Applications of frameworks on our bindings: built by Vite, and walked in Chromium. They write a story in a worker, draw every
// head, compare embeddings, and end all of it when they leave.
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serving, withPage } from "../browser.mjs";
import { html } from "../in-page.mjs";
import { same } from "../same.mjs";

const folders = fileURLToPath(new URL("../apps/", import.meta.url));
const vite = "vite@8.3.8";
const ours = ["viz", "wasm", "worker", "model-tiny", "tokenizer", "transformer"].map(
  (name) => `@qkv/${name}`,
);
const react = (version, types) => ({
  folder: "react",
  needs: [
    `react@${version}`,
    `react-dom@${version}`,
    `@types/react@${types.react}`,
    `@types/react-dom@${types.dom}`,
  ],
  compiler: "typescript@6.0.3",
});

/** By the package that an application is about: its folder, and what it needs beside ours. */
const applications = {
  "@qkv/react": {
    "React 19": react("19.3.1", { react: "19.3.0", dom: "19.3.0" }),
    "React 18": react("18.3.1", { react: "18.3.32", dom: "18.3.7" }),
  },
  "@qkv/vue": { "Vue 3": { folder: "vue", needs: ["vue@3.5.45", "@vitejs/plugin-vue@6.0.11"] } },
  "@qkv/stores": {
    "Svelte 5": { folder: "svelte", needs: ["svelte@5.57.3", "@sveltejs/vite-plugin-svelte@7.3.1"] },
    Solid: { folder: "solid", needs: ["solid-js@1.9.20", "vite-plugin-solid@2.11.14"] },
    Lit: { folder: "lit", needs: ["lit@3.3.3"] },
  },
};

export async function run(project, { check }) {
  for (const [name, application] of Object.entries(applications[project.name] ?? {})) {
    const inside = name.replace(" ", "-").toLowerCase();
    const made = { ...application, project, inside, at: join(project.folder, inside) };
    await check(`${name}, built`, () => build(made));
    await check(`${name}, used`, () => serving(join(made.at, "dist"), walk));
  }
}

async function build({ project, inside, at, folder, needs, compiler }) {
  cpSync(join(folders, folder), at, { recursive: true });
  cpSync(join(folders, "model.ts"), join(at, "model.ts"));
  const main = readdirSync(at).find((file) => file.startsWith("main."));
  const json = { name: "user", private: true, type: "module" };
  project.write(`${inside}/package.json`, JSON.stringify(json));
  project.write(`${inside}/index.html`, html(`./${main}`).replace("<body>", '<body><div id="app"></div>'));
  const tools = compiler ? [vite, compiler] : [vite];
  await project.run("npm", ["install", "--ignore-scripts", project.name, ...ours, ...needs, ...tools], at);
  project.installed = true;
  if (compiler) await project.run(process.execPath, ["node_modules/typescript/bin/tsc"], at);
  await project.run(process.execPath, ["node_modules/vite/bin/vite.js", "build"], at);
}

/** Waits until an element says what a pattern describes. */
const says = (page, selector, pattern) =>
  page.waitForFunction(
    ([selector, pattern]) =>
      new RegExp(pattern).test(globalThis.document.querySelector(selector)?.textContent ?? ""),
    [selector, pattern],
  );

function walk(url) {
  return withPage(url, {}, async (page) => {
    await page.locator("#story button:enabled").click();
    await says(page, "#story [role=status]", "^(done|error)$");
    same(await page.locator("#story output").textContent(), ", the frog and the bear had a race.");

    await page.locator("qkv-head-grid svg").waitFor();
    const [layers, heads] = (await page.locator("#sizes").textContent()).split(" x ").map(Number);
    const titles = await page.locator("qkv-head-grid svg title").allTextContents();
    const maps = titles.filter((title) => /^layer \d+, head \d+: largest weight/.test(title));
    same(maps.length, layers * heads);

    await says(page, "#alike", ".");
    const [one, two, three] = (await page.locator("#alike").textContent()).split(" ");
    same(`${one} ${two}`, "1.000 1.000");
    if (!(Number(three) < 0.999)) throw new Error(`another text has the cosine ${three}`);

    same(page.workers().length, 1);
    const ended = page.workers()[0].waitForEvent("close");
    await page.locator("#leave").click();
    await ended;
    same(await page.locator("main").count(), 0);
  });
}
