// An application of esbuild: ES modules that share what they have in common.
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { openPage, serving } from "../browser.mjs";
import { examplesForPages, html, pages, writeSources } from "../in-page.mjs";
import { readReport } from "../project.mjs";

export async function run(project, { check, leftOut }) {
  const examples = examplesForPages(project, "esbuild", leftOut);
  if (!examples) return;
  await project.install();
  writeSources(project, examples);
  await check("esbuild", async () => {
    const { warnings } = await build({
      absWorkingDir: project.folder,
      // esbuild does not follow the address of a Worker, so that it is named.
      entryPoints: [...Object.values(pages), "worker.js"],
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      outdir: "dist",
      logLevel: "silent",
    });
    if (warnings.length > 0) throw new Error(warnings.map(({ text }) => text).join("\n"));
  });
  // As the README of @qkv/worker says.
  const worker = join(project.folder, "node_modules/@qkv/worker/dist/model-worker.js");
  if (existsSync(worker)) copyFileSync(worker, join(project.folder, "dist/model-worker.js"));
  for (const [name, script] of Object.entries(pages)) {
    project.write(`dist/${name}.html`, html(`./${script}`));
    await check(`esbuild, ${name}`, () =>
      serving(join(project.folder, "dist"), async (url) => readReport(await openPage(`${url}${name}.html`))),
    );
  }
}
