// An application of Vite: as it is built, and as its server serves it while one works.
import { join } from "node:path";
import { isolation } from "../../scripts/server.mjs";
import { openPage, serving } from "../browser.mjs";
import { examplesForPages, html, pages, writeSources } from "../in-page.mjs";
import { readReport } from "../project.mjs";
import { build, createServer } from "../node_modules/vite/dist/node/index.js";

export async function run(project, { check, leftOut }) {
  const examples = examplesForPages(project, "Vite", leftOut);
  if (!examples) return;
  await project.install();
  writeSources(project, examples);
  for (const [name, script] of Object.entries(pages)) project.write(`${name}.html`, html(`./${script}`));
  const config = {
    root: project.folder,
    configFile: false,
    logLevel: "silent",
    // As its README says: what starts a worker by an address is served where it lies.
    optimizeDeps: { exclude: ["@qkv/worker"] },
  };
  await check("Vite, built", () =>
    build({
      ...config,
      build: {
        rollupOptions: { input: Object.keys(pages).map((name) => join(project.folder, `${name}.html`)) },
      },
    }),
  );
  for (const name of Object.keys(pages))
    await check(`Vite, built, ${name}`, () =>
      serving(join(project.folder, "dist"), async (url) => readReport(await openPage(`${url}${name}.html`))),
    );
  const server = await createServer({ ...config, server: { host: "127.0.0.1", headers: isolation } });
  try {
    await server.listen(0);
    const [url] = server.resolvedUrls.local;
    for (const name of Object.keys(pages))
      await check(`Vite, served, ${name}`, async () => readReport(await openPage(`${url}${name}.html`)));
  } finally {
    await server.close();
  }
}
