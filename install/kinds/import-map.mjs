// A page without any build: modules as they lie in node_modules, and a map from their names.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openPage, serving } from "../browser.mjs";
import { examplesForPages, html, writeSources } from "../in-page.mjs";
import { readReport } from "../project.mjs";

export async function run(project, { check, leftOut }) {
  const examples = examplesForPages(project, "import map", leftOut);
  if (!examples) return;
  if (project.name === "@qkv/react") return leftOut("import map, page", "React has no ES modules");
  await project.install();
  writeSources(project, examples);
  const imports = mapOf(join(project.folder, "node_modules"));
  project.write(
    "page.html",
    html("./page.js", `<script type="importmap">${JSON.stringify({ imports })}</script>`),
  );
  await check("import map, page", () =>
    serving(project.folder, async (url) => readReport(await openPage(`${url}page.html`))),
  );
  leftOut("import map, Worker", "browsers apply no import map to a Worker");
}

/** Packages whose `exports` are for bundlers, and their file for pages. */
const filesForPages = { vue: "dist/vue.esm-browser.prod.js" };

/** Every entry of every installed package that is an ES module, by name, as its `exports` or `module` say. */
export function mapOf(modules) {
  const names = readdirSync(modules).flatMap((name) =>
    name.startsWith("@") ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
  );
  const map = {};
  for (const name of names.filter((name) => existsSync(join(modules, name, "package.json")))) {
    const json = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
    const entries =
      typeof json.exports === "object" && Object.keys(json.exports).every((key) => key.startsWith("."))
        ? json.exports
        : { ".": json.exports ?? json.browser ?? json.module ?? json.main };
    for (const [entry, to] of Object.entries(entries)) {
      const file = forBrowsers(to);
      if (file && !entry.includes("*")) map[join(name, entry)] = `/${join("node_modules", name, file)}`;
    }
    if (name in filesForPages) map[name] = `/${join("node_modules", name, filesForPages[name])}`;
  }
  return map;
}

/** What a browser takes of conditional exports. */
function forBrowsers(to) {
  if (typeof to !== "object" || to === null) return to;
  const condition = Object.keys(to).find((key) => ["browser", "import", "module", "default"].includes(key));
  return condition && forBrowsers(to[condition]);
}
