// An application of webpack, with nothing configured but where files are.
import { join } from "node:path";
import { openPage, serving } from "../browser.mjs";
import { examplesForPages, html, pages, writeSources } from "../in-page.mjs";
import { readReport } from "../project.mjs";
import webpack from "webpack";

export async function run(project, { check, leftOut }) {
  const examples = examplesForPages(project, "webpack", leftOut);
  if (!examples) return;
  await project.install();
  writeSources(project, examples);
  const output = join(project.folder, "dist");
  await check("webpack", () =>
    built({
      context: project.folder,
      mode: "production",
      entry: Object.fromEntries(Object.entries(pages).map(([name, script]) => [name, `./${script}`])),
      output: { path: output, filename: "[name].js" },
      performance: { hints: false },
    }),
  );
  for (const name of Object.keys(pages)) {
    project.write(`dist/${name}.html`, html(`./${name}.js`));
    await check(`webpack, ${name}`, () =>
      serving(output, async (url) => readReport(await openPage(`${url}${name}.html`))),
    );
  }
}

/** A warning counts as an error: nothing of ours may need to be silenced. */
function built(config) {
  return new Promise((resolve, reject) => {
    webpack(config, (error, stats) => {
      if (error) reject(error);
      else if (stats.hasErrors() || stats.hasWarnings())
        reject(new Error(stats.toString({ all: false, errors: true, warnings: true })));
      else resolve();
    });
  });
}
