// A page and a worker without a build that import `qkv` as one file from a CDN, as its README says: a local server answers for the
// CDN with the files of the installed package.
import { join } from "node:path";
import { serving, withPage } from "../browser.mjs";
import { codeBlocks } from "../../tests/code-blocks.ts";
import { same } from "../same.mjs";

const story = ", the frog and the bear had a race.";

export async function run(project, { check }) {
  if (project.name !== "qkv") return;
  await project.install();
  const installed = join(project.folder, "node_modules/qkv");
  const [{ code: map }] = codeBlocks(project.read("node_modules/qkv/README.md"), "README of qkv", 1, "html");
  const [, address] = /"(https:[^"]+)"/.exec(map);
  const writes = (say) => `const loading = load(await modelTiny());
for await (const { text } of generate(await loading, "Once upon a time", { maxTokens: 10 })) ${say};`;
  project.write(
    "page.html",
    `<!doctype html>
<html lang="en">
<head><title>User</title><link rel="icon" href="data:," />${map}</head>
<body>
<output id="page"></output><output id="worker"></output><div id="picture"></div>
<script type="module">
import { attentionMap, attentionWeights, causal, generate, load, modelTiny, randn, wasm } from "qkv";

const show = (id, text) => document.getElementById(id).append(text);
const worker = new Worker("worker.js", { type: "module" });
worker.onmessage = ({ data }) => show("worker", data);
worker.onerror = ({ message }) => show("worker", message);
const device = await wasm();
const x = randn([1, 1, 6, 8], { seed: 1 }).to(device);
picture.innerHTML = attentionMap(attentionWeights(x, x, { mask: causal() }));
${writes('show("page", text)')}
</script>
</body>
</html>
`,
  );
  project.write(
    "worker.js",
    `import { generate, load, modelTiny } from "${address}";\n${writes("postMessage(text)")}\n`,
  );
  await check("a page and a worker, from a CDN", () =>
    serving(project.folder, (url) =>
      withPage(`${url}page.html`, { cdn: installed }, async (page) => {
        await page.locator("#picture svg").waitFor();
        for (const place of ["page", "worker"]) {
          await page.waitForFunction(
            ([id, length]) => globalThis.document.getElementById(id).textContent.length >= length,
            [place, story.length],
          );
          same(await page.locator(`#${place}`).textContent(), story);
        }
      }),
    ),
  );
}
