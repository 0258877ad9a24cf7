// Visits the built site in WebKit, the engine of Safari: the first page and a lesson, whose live examples run and whose
// figure plays, and generates with a model in a worker. `node walk-webkit.mjs`
import { fileURLToPath } from "node:url";
import { openServer, staticFiles } from "../../../scripts/server.mjs";
import { figures } from "./figure-places.mjs";
import { visits } from "./figure-walk.mjs";
import { unfinishedExamples } from "./live-examples.mjs";
import { pageDriver } from "./page-driver.mjs";
import { serveSite } from "./serve-site.mjs";
import { collectErrors, noWebKit, startWebKit } from "./webkit.mjs";

const timeoutMs = 240_000; // generous, for busy machines
const waitMs = timeoutMs / 2; // in a page, which must end before its script is ended

if (noWebKit) {
  console.log(noWebKit);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
const site = await serveSite(fileURLToPath(new URL("../build", import.meta.url)), {
  firstScript: collectErrors,
});
const repository = fileURLToPath(new URL("../../../", import.meta.url));
const packages = await openServer(staticFiles(repository, { firstScript: collectErrors }));
const webkit = await startWebKit({ timeoutMs });
const counts = { passed: 0, failed: 0 };
console.log(webkit.version);

/** Opens a page and checks it: `check` returns problems, to which the errors of the page are added. */
async function visit(name, url, check) {
  const problems = [];
  const isProblem = (error) => problems.push(error.message.split("\n")[0]);
  try {
    const page = await webkit.open(url);
    await check(page).then((found) => problems.push(...found), isProblem);
    problems.push(...(await page.errors()).map((text) => `console: ${text}`));
    await page.close();
  } catch (error) {
    isProblem(error);
  }
  counts[problems.length === 0 ? "passed" : "failed"] += 1;
  console.log(
    `${problems.length === 0 ? "ok  " : "FAIL"} ${name} (WebKit)${problems.map((text) => `\n     ${text}`).join("")}`,
  );
}

await visit("the first page: its model reads a sentence in a worker", site.address, (page) =>
  page.run(`new Promise((done) => {
    const end = Date.now() + ${waitMs};
    const look = () => {
      if (document.querySelector("[data-live-look=yes]")) done([]);
      else if (Date.now() > end) done(["its model does not answer"]);
      else setTimeout(look, 200);
    };
    look();
  })`),
);

const figure = figures.find(({ name }) => name === "attention-call");
const lesson = site.address + figure.path;
await visit(`${figure.path}: its live examples run`, lesson, (page) => unfinishedExamples(page, waitMs));
await visit(`${figure.path}: its figure plays to its end and steps back`, lesson, async (page) => {
  const driver = pageDriver({ evaluate: page.run }, { address: site.address, timeoutMs });
  // A permalink is opened anew, which is a visit of its own.
  for (const { name, check } of visits[0].checks) if (name !== "permalink") await check(driver, figure);
  return [];
});

for (const worker of ["dedicated", "shared"]) {
  const url = `${packages.origin}/scripts/worker/page.html`;
  await visit(`a model generates in a ${worker} worker`, url, async (page) => {
    const text = await page.run(`(async () => {
      const [{ generate, load }, { modelTiny }] = await Promise.all([import("@qkv/worker"), import("@qkv/model-tiny")]);
      const model = await load(await modelTiny(), { worker: "${worker}" });
      let story = "Once upon a time";
      for await (const { text } of generate(model, story, { maxTokens: 10 })) story += text;
      await model.dispose();
      return story;
    })()`);
    // The story in the README of @qkv/worker.
    return text === "Once upon a time, the frog and the bear had a race." ? [] : [`it generated "${text}"`];
  });
}

await webkit.close();
await site.close();
await packages.close();
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;
