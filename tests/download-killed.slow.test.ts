// A command that is killed while it downloads a model leaves no loadable partial file, and the next one completes the
// download.
import { decoder } from "@qkv/transformer";
import { exportModel } from "@qkv/transformer/export";
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openServer } from "../scripts/server.mjs";

const command = fileURLToPath(new URL("../packages/cli/dist/qkv.js", import.meta.url));
const root = mkdtempSync(join(tmpdir(), "qkv-download-killed-"));
const model = join(root, "model");
const [home, pieces] = ["owner/tiny", 12];
/** Chunks of the weights that a killed command receives; then the server stalls. */
let most = Infinity;
let stalled: () => void = () => undefined;

/** True: the server sends the commit and the hash of a file, as the hub does, and supports byte ranges. */
let isHub = false;
let ranges: string[] = [];
const commit = "0123456789abcdef0123456789abcdef01234567";

/** Serves files in chunks. */
const server = await openServer((request, response) => {
  const file = join(model, basename(request.url!));
  const known = readdirSync(model).includes(basename(file));
  if (!known) return void response.writeHead(404).end();
  const whole = readFileSync(file);
  const [, first] = /^bytes=(\d+)-/.exec((isHub && request.headers.range) || "") ?? [];
  const bytes = whole.subarray(Number(first ?? 0));
  if (isHub) {
    response.setHeader("X-Repo-Commit", commit);
    response.setHeader("ETag", `"${createHash("sha256").update(whole).digest("hex")}"`);
  }
  if (first !== undefined) {
    ranges.push(basename(file));
    response.statusCode = 206;
    response.setHeader("Content-Range", `bytes ${first}-${whole.length - 1}/${whole.length}`);
  }
  response.setHeader("Content-Length", bytes.length);
  if (request.method === "HEAD") return void response.end();
  const isWeights = file.endsWith(".safetensors");
  const step = Math.ceil(bytes.length / pieces);
  const give = (piece: number): void => {
    if (isWeights && piece === most) return stalled();
    if (piece === pieces) return void response.end();
    response.write(bytes.subarray(piece * step, (piece + 1) * step), () => setTimeout(give, 1, piece + 1));
  };
  give(0);
});

beforeAll(async () => {
  const config = {
    ...{ vocabSize: 11, embedDim: 32, hiddenDim: 64, numLayers: 2, numHeads: 2, numKvHeads: 1 },
    ...{ contextLength: 32, normEps: 1e-5, stopIds: [0] },
  };
  await exportModel({ config, params: decoder(config).init(1) }, { to: "hf", out: model });
});
afterAll(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

const args = [command, "inspect", home, "--json"];
const environment = (cache: string) => ({ ...process.env, QKV_CACHE: cache, HF_ENDPOINT: server.origin });

test.each([0, 1, 5, pieces - 1, pieces])("killed after %i chunks of the weights", async (count) => {
  const cache = join(root, `cache-${count}`);
  await killAfter(count, cache);
  const left = readdirSync(cache, { recursive: true }).map(String);
  for (const name of left) {
    if (name.endsWith(".part") || statSync(join(cache, name)).isDirectory()) continue;
    expect(readFileSync(join(cache, name))).toEqual(readFileSync(join(model, basename(name))));
  }
  if (count < pieces) expect(left.filter((name) => name.endsWith(".safetensors"))).toEqual([]);
  await expectWhole(cache);
});

test.runIf(process.platform !== "win32")(
  "killed half-way in the hub's layout: the rest of the weights is fetched, and nothing twice",
  async () => {
    isHub = true;
    const cache = join(root, "cache-hub");
    await killAfter(pieces / 2, cache);
    const home = join(cache, "models--owner--tiny");
    expect(readdirSync(join(home, "snapshots", commit))).toEqual(["config.json"]);
    expect(readdirSync(join(home, "blobs")).filter((name) => name.endsWith(".part")).length).toBe(1);
    ranges = [];
    await expectWhole(cache);
    expect(ranges).toEqual(["model.safetensors"]);
    expect(readdirSync(join(home, "snapshots", commit))).toContain("model.safetensors");
    expect(readdirSync(join(home, "blobs")).filter((name) => name.endsWith(".part"))).toEqual([]);
  },
);

/** Kills a command when `count` chunks of the weights were sent. */
async function killAfter(count: number, cache: string): Promise<void> {
  most = count;
  const reached = new Promise<void>((resolve) => (stalled = resolve));
  const child = spawn(process.execPath, args, { env: environment(cache), stdio: "ignore" });
  const gone = new Promise<string | null>((resolve) =>
    child.once("exit", (_code, signal) => resolve(signal)),
  );
  await reached;
  // The command writes the chunks at some later moment: the kill comes before, during or after it.
  await new Promise((resolve) => setTimeout(resolve, 3 * count));
  child.kill("SIGKILL");
  expect(await gone).toBe("SIGKILL");
  most = Infinity;
}

/** Runs the command again to its end, which loads the model. */
async function expectWhole(cache: string): Promise<void> {
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment(cache) });
  const whole = await promisify(execFile)(process.execPath, [command, "inspect", model, "--json"]);
  const parameters = (text: string) => (JSON.parse(text) as { parameters: number }).parameters;
  expect(parameters(stdout)).toBeGreaterThan(0);
  expect(parameters(stdout)).toBe(parameters(whole.stdout));
}
