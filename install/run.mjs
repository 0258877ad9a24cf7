// npm run nightly install [KIND|PACKAGE]…: a user of each kind, for each package. Kinds are the modules in kinds/, which
// export `run(project, { check, leftOut })`; the project is a folder of its own, and is gone when its checks have ended.
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publicPackages } from "../scripts/packages.mjs";
import { closeBrowser } from "./browser.mjs";
import { Project } from "./project.mjs";
import { readReadme } from "./readme.mjs";
import { startRegistry } from "./registry.mjs";
import { installTools } from "./tools.mjs";

const kinds = readdirSync(new URL("kinds/", import.meta.url))
  .map((file) => file.replace(".mjs", ""))
  .sort();
const packages = publicPackages();
const short = (name) => name.replace("@qkv/", "");
const names = packages.map(({ name }) => short(name));
const wanted = process.argv.slice(2);
const unknown = wanted.find((word) => !kinds.includes(word) && !names.includes(short(word)));
if (unknown !== undefined) {
  console.error(
    `install: there is no kind of project and no package "${unknown}".\nFix: name some of ${[...kinds, ...names].join(", ")}.`,
  );
  process.exit(1);
}
const chosen = (all, name = (each) => each) => {
  const some = all.filter((each) => wanted.some((word) => short(word) === short(name(each))));
  return some.length > 0 ? some : all;
};

const start = Date.now();
const counts = { passed: 0, failed: 0, skipped: 0 };
let projects = 0;
const folder = mkdtempSync(join(tmpdir(), "qkv-install-"));
let registry;
// However it ends, nothing stays.
const clean = async () => {
  await registry?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
};
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, async () => {
    await clean();
    process.exit(1);
  });
try {
  installTools();
  mkdirSync(join(folder, "registry"));
  registry = await startRegistry(join(folder, "registry"));
  for (const kind of chosen(kinds)) {
    const { run } = await import(`./kinds/${kind}.mjs`);
    for (const each of chosen(packages, ({ name }) => name)) await inProject(kind, run, each);
  }
} finally {
  await closeBrowser();
  await clean();
}
const seconds = ((Date.now() - start) / 1000).toFixed(0);
console.log(`${projects} projects in ${seconds} s`);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function inProject(kind, run, package_) {
  const at = mkdtempSync(join(folder, `${kind}-`));
  const check = async (what, f) => {
    const since = Date.now();
    try {
      await f();
      counts.passed += 1;
      console.log(`ok: ${package_.name}: ${what} (${((Date.now() - since) / 1000).toFixed(1)} s)`);
    } catch (error) {
      counts.failed += 1;
      console.log(`failed: ${package_.name}: ${what}\n${error.message}`);
    }
  };
  const leftOut = (what, reason) => {
    counts.skipped += 1;
    console.log(`left out: ${package_.name}: ${what}: ${reason}`);
  };
  try {
    const project = new Project(at, package_, readReadme(package_), registry.env);
    await run(project, { check, leftOut });
    if (project.installed) projects += 1;
  } catch (error) {
    counts.failed += 1;
    console.log(`failed: ${package_.name}: a project of the kind ${kind}\n${error.message}`);
  } finally {
    rmSync(at, { recursive: true, force: true, maxRetries: 5 });
  }
}
