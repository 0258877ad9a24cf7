// Serves the site while it is written: `npm start`. Pages, figures and live code run the sources of the packages, so that
// nothing is built before the server answers, and an edit shows at once. Outputs of examples are computed when a page asks for
// them. The list of functions and the completion in editors need declarations: built packages, which follow in the background.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { dirname, join } from "node:path";
import { publicPackages } from "../../../scripts/packages.mjs";
import { openExamples } from "./live/examples.mjs";
import { cache, live, site } from "./live/folders.mjs";
import { declarationsText, watchModules } from "./live/modules.mjs";
import { writePrerendered } from "./live/prerendered.mjs";
import { replaceText } from "./live/replace-text.mjs";

const address = "http://127.0.0.1:3000/";
const start = Date.now();
const say = (text) => console.log(`${((Date.now() - start) / 1000).toFixed(0).padStart(3)} s  ${text}`);
const run = (command, args) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: join(site, "../.."),
      stdio: ["ignore", "ignore", "inherit"],
      shell: process.platform === "win32",
    });
    child.once("error", reject);
    child.once("spawn", () => setPriority(child.pid, constants.priority.PRIORITY_LOW)); // pages first
    child.once("close", (status) =>
      status === 0 ? resolve() : reject(new Error(`${command} ${args.join(" ")} failed (${status})`)),
    );
  });

say("1 of 3: figures and the first page (about 10 s the first time)");
let bundled;
const modules = new Promise((resolve) => (bundled = resolve));
await watchModules(() => bundled());
const examples = await openExamples();
const [{ output }] = await Promise.all([examples.runExample("first-look"), writePrerendered(examples)]);
await examples.end();
replaceText(join(cache, "output/first-look.json"), JSON.stringify(output));
writeFunctionsLater();
await modules;

say("2 of 3: pages (about 25 s the first time, 5 s later)");
const server = spawn(
  "docusaurus",
  ["start", "--no-open", "--host", "127.0.0.1", "--port", "3000", ...process.argv.slice(2)],
  { cwd: site, stdio: "inherit", shell: process.platform === "win32" },
);
server.once("close", (status) => process.exit(status ?? 1));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.kill(signal));

const scriptOf = async (page) => /<script[^>]* src="([^"]+)"/.exec((await page?.text()) ?? "")?.[1];
let script;
while (!(script = await scriptOf(await fetch(address).catch(() => undefined))))
  await new Promise((next) => setTimeout(next, 250));
// The page's scripts come when they are compiled; what follows would slow them down.
await fetch(new URL(script, address));
say(`${address} is served. 3 of 3, in the background: the list of functions, and completion in editors`);
await run("turbo", ["run", "build", "--filter=./packages/*", "--output-logs=errors-only", "--concurrency=1"]);
writeFileSync(join(live, "declarations.json"), declarationsText());
await run(process.execPath, ["apps/docs/scripts/build-api.mjs"]);
say("The list of functions is complete.");

/** A page for each entry point, as `build-api.mjs` will write it, if there is none of an earlier start. */
function writeFunctionsLater() {
  const entries = publicPackages().flatMap(({ name, json }) =>
    Object.entries(json.exports)
      .filter(([, to]) => to?.import?.types && !to.import.types.startsWith("./dist/subpaths/"))
      .map(([entry]) => (entry === "." ? `${name}/index` : name + entry.slice(1))),
  );
  for (const page of ["index", ...entries]) {
    const file = join(cache, "api", `${page}.mdx`);
    if (existsSync(file)) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      `# ${page.replace(/\/?index$/, "") || "All names"}\n\nThis list is being written; it shows when it is.\n`,
    );
  }
}
