// Models off the main thread: in a worker of their own, one that the program made, and one that two tabs share; in a page that Vite
// built, in a page without a build, and in threads of Node.
import { cpSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { serving, withPage } from "../browser.mjs";
import { html } from "../in-page.mjs";
import { build } from "../node_modules/vite/dist/node/index.js";
import { same } from "../same.mjs";
import { node } from "../tools.mjs";
import { mapOf } from "./import-map.mjs";

const sources = fileURLToPath(new URL("../apps/threads/", import.meta.url));
const story = "Once upon a time, the frog and the bear had a race.";

/** Workers by the name that the page has for them. */
const workers = {
  dedicated: "a worker of the model's own",
  own: "a worker of the program's",
  shared: "a worker of two tabs",
};

/** Names in an import map: those of the README, and the small model. */
function mapped(readme) {
  const [, row] = /^\| a page without a build \| an import map with ([^;]*);/m.exec(readme);
  return [...[...row.matchAll(/`([^`]+)`/g)].map(([, name]) => name), "@qkv/model-tiny"];
}

/** Writes the files of the small model into a folder. */
const writeModel = `
  import { mkdirSync, writeFileSync } from "node:fs";
  import { modelTiny } from "@qkv/model-tiny";
  mkdirSync("public/model", { recursive: true });
  for (const file of await modelTiny()) writeFileSync("public/model/" + file.name, await file.bytes());`;

export async function run(project, { check, leftOut }) {
  if (project.name !== "@qkv/worker") return;
  await project.install();
  cpSync(sources, project.folder, { recursive: true });
  await project.run(process.execPath, ["--input-type=module", "-e", writeModel]);
  const body = "<output></output>";
  const page = (script, head) => html(script, head).replace("<body>", `<body>${body}`);

  project.write("page.html", page("./places.js"));
  await check("threads, built by Vite", () =>
    build({
      root: project.folder,
      configFile: false,
      logLevel: "silent",
      build: { rollupOptions: { input: join(project.folder, "page.html") } },
    }),
  );
  await inPage("built by Vite", join(project.folder, "dist"), "page.html", check);

  const all = mapOf(join(project.folder, "node_modules"));
  const names = mapped(project.read("node_modules/@qkv/worker/README.md"));
  const imports = Object.fromEntries(names.map((name) => [name, all[name]]));
  cpSync(join(sources, "own-worker-without-build.js"), join(project.folder, "public/own-worker.js"));
  cpSync(join(sources, "places.js"), join(project.folder, "public/places.js"));
  const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
  project.write("public/page.html", page("./places.js", map));
  await inPage("without a build", project.folder, "public/page.html", check);

  for (const major of [20, 22, 24]) {
    const program = node(major);
    if (!program) {
      leftOut(`threads of Node ${major}`, "npm has none for this machine, and it is not on PATH");
      continue;
    }
    await check(`threads of Node ${major}`, async () =>
      same((await project.run(program, ["in-node.js"])).trim(), `${story}\n${story}`),
    );
  }
}

async function inPage(how, folder, path, check) {
  for (const [kind, worker] of Object.entries(workers))
    await check(`threads, ${how}, ${worker}`, () =>
      serving(folder, (url) => withPage(`${url}${path}`, {}, (page) => use(page, kind))),
    );
}

/** Writes a story and stops another one; in a second tab too, which goes on when the first has left. */
async function use(page, kind) {
  const call = (tab, name) => tab.evaluate(([name, kind]) => globalThis[name](kind), [name, kind]);
  await page.waitForFunction(() => globalThis.ready);
  same(await call(page, "write"), story);
  same(await page.locator("output").textContent(), story);
  same(await call(page, "abort"), "enough");
  if (kind !== "shared") {
    same(page.workers().length, 1);
    return call(page, "dispose");
  }
  same(page.workers().length, 0);
  const other = await page.context().newPage();
  await other.goto(page.url());
  await other.waitForFunction(() => globalThis.ready);
  same(await call(other, "write"), story);
  await call(page, "dispose");
  same(await call(other, "abort"), "enough");
  return call(other, "dispose");
}
