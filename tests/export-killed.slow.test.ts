// A process that is killed during an export leaves no loadable partial model.
import { load } from "@qkv/transformer";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const packages = new URL("../packages/", import.meta.url);
const root = mkdtempSync(join(tmpdir(), "qkv-killed-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Exports in a process that is killed after `count` writes. Returns the total number of writes if it finished. */
function exported(out: string, options: object, pieces: number): { signal: string | null; count: number } {
  const program = `
    const { decoder } = await import("${new URL("transformer/dist/index.js", packages).href}");
    const { exportModel } = await import("${new URL("transformer/dist/export.js", packages).href}");
    const config = {
      vocabSize: 11, embedDim: 8, hiddenDim: 16, numLayers: 1, numHeads: 2, numKvHeads: 1,
      contextLength: 32, normEps: 1e-5, stopIds: [0],
    };
    let count = 0;
    const onProgress = () => ++count === ${pieces} && process.kill(process.pid, "SIGKILL");
    const model = { config, params: decoder(config).init(1) };
    await exportModel(model, { ...${JSON.stringify({ ...options, out })}, onProgress });
    console.log(count);`;
  const args = ["--input-type=module", "-e", program];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  return { signal, count: Number(stdout) };
}

test("killed while it writes a file", async () => {
  const whole = join(root, "whole.gguf");
  const { count } = exported(whole, { to: "gguf" }, 0);
  expect(count).toBeGreaterThan(8);
  await load(whole);
  rmSync(whole);
  for (const pieces of [1, 4, count - 1, count]) {
    const { signal } = exported(join(root, "killed.gguf"), { to: "gguf" }, pieces);
    expect(signal).toBe("SIGKILL");
    const [left, ...more] = readdirSync(root);
    expect([left, more]).toEqual([expect.stringMatching(/^killed\.gguf\.\d+\.unfinished$/), []]);
    await expect(load(join(root, left!))).rejects.toThrow();
    rmSync(join(root, left!));
  }
});

test.each([{ to: "hf" }, { to: "hf", shardBytes: 500 }, { to: "onnx" }, { to: "onnx", inlineBytes: 1 }])(
  "killed on its way to %j",
  async (options) => {
    const { count } = exported(join(root, "whole"), options, 0);
    expect(count).toBeGreaterThan(8);
    expect(readdirSync(join(root, "whole"))).toContain("config.json");
    rmSync(join(root, "whole"), { recursive: true });
    for (const pieces of [1, 4, count - 1, count]) {
      const { signal } = exported(join(root, "killed"), options, pieces);
      expect(signal).toBe("SIGKILL");
      const left = readdirSync(root);
      expect(left).toHaveLength(1);
      expect(left).not.toContain("killed");
      await expect(load(join(root, left[0]!))).rejects.toThrow();
      const names = readdirSync(join(root, left[0]!), { recursive: true, withFileTypes: true });
      expect(names.filter((each) => each.isFile() && !each.name.endsWith(".part"))).toEqual([]);
      rmSync(join(root, left[0]!), { recursive: true });
    }
  },
);

/**
 * True if the requested folder exists; it is complete then. Nothing beside it is loadable, unless the kill came between the
 * last rename of a file and the rename of the folder: then it is complete too. The same holds for an export to a file.
 */
async function isThere(folder: string, out: string): Promise<boolean> {
  for (const left of readdirSync(folder)) {
    const path = join(folder, left);
    if (statSync(path).isFile()) {
      const loads = await load(path).then(
        () => true,
        () => false,
      );
      if (left === out) expect(loads, "a folder under its final name is complete, and loads").toBe(true);
      continue;
    }
    const names = readdirSync(join(folder, left), { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map(({ name }) => name);
    const whole = names.includes("config.json");
    if (left === out) expect(whole, "a file under its final name is complete").toBe(true);
    if (!whole) await expect(load(join(folder, left))).rejects.toThrow();
    else {
      expect(names.filter((name) => name.endsWith(".part"))).toEqual([]);
      expect(names).toContain("tokenizer.json");
      if (names.includes("model.safetensors")) await load(join(folder, left));
      else expect(names).toContain("model.onnx");
    }
  }
  return existsSync(join(folder, out));
}

test.each(["hf", "onnx", "gguf"])("the command, killed at random moments of an export to %s", async (to) => {
  const command = fileURLToPath(new URL("cli/dist/qkv.js", packages));
  const run = async (out: string, afterMs?: number): Promise<boolean> => {
    const folder = mkdtempSync(join(root, "moment-"));
    const child = spawn(process.execPath, [command, "export", "@qkv/model-tiny", "--to", to, out], {
      cwd: folder,
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    if (afterMs !== undefined) {
      // Times are counted from the creation of the folder.
      while (readdirSync(folder).length === 0 && child.exitCode === null) await wait(1);
      await wait(afterMs);
      child.kill("SIGKILL");
    }
    await ended;
    const there = await isThere(folder, out);
    rmSync(folder, { recursive: true });
    return there;
  };
  expect(await run("out"), "an export that is not killed writes its folder").toBe(true);
  const outcomes = [];
  for (let i = 0; i < 5; i++) outcomes.push(await run("out", i * i * Math.random() * 4));
  expect(outcomes).toContain(false); // at least one kill came before the end
});
