// The commands of the guide "From a tab to a cluster": our commands run; those of other engines only use flags and
// fields of the documentation named here, which the guide links to.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const guide = readFileSync(
  new URL("../apps/docs/guides/from-a-tab-to-a-cluster.mdx", import.meta.url),
  "utf8",
);
const blocks = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map((match) => match[1]!);
const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));

/** Flags of each engine, and the page or source that documents them. */
const engines: Record<string, { read: string; flags: string[] }> = {
  "vllm serve": {
    read: "vllm/engine/arg_utils.py at 99d7eb5; `--port` in the documentation of v0.12.0",
    flags: [
      ...["--served-model-name", "--max-model-len", "--tensor-parallel-size", "--pipeline-parallel-size"],
      "--port",
    ],
  },
  "llama-server": {
    read: "tools/server/README.md at 00dc805",
    flags: ["--model", "--ctx-size", "--parallel", "--host", "--port", "--alias", "--n-gpu-layers"],
  },
  "ray start": { read: "doc/source/serve/llm at 0afabf1", flags: ["--head"] },
  "serve deploy": { read: "doc/source/serve/llm at 0afabf1", flags: [] },
};
const rayFields = [
  ...["applications", "name", "route_prefix", "import_path", "args", "llm_configs"],
  ...["model_loading_config", "model_id", "model_source", "deployment_config", "autoscaling_config"],
  ...["min_replicas", "max_replicas", "engine_kwargs", "tensor_parallel_size", "max_model_len"],
];

test.each(Object.entries(engines))("%s", (name, { read, flags }) => {
  const ownCommands = commands.filter((line) => line.startsWith(name));
  expect(ownCommands.length, "commands in the guide").toBeGreaterThan(0);
  for (const line of ownCommands)
    for (const [flag] of line.matchAll(/(?<=\s)--?[a-z][\w-]*/g)) expect(flags, line).toContain(flag);
  expect(guide).toContain(read);
});

test("each command is ours, or of an engine in the table, or installs one", () => {
  const known = [...Object.keys(engines), "npx qkv", "pip install", "npm install"];
  expect(commands.filter((line) => !known.some((start) => line.startsWith(start)))).toEqual([]);
});

test("Ray's file only has documented fields", () => {
  const [file] = blocks("yaml");
  const fields = [...file!.matchAll(/^[\s-]*([a-z_]+):/gm)].map((match) => match[1]);
  expect(fields.length).toBeGreaterThan(10);
  expect(rayFields).toEqual(expect.arrayContaining(fields));
});

test("our commands print the output shown in the guide", () => {
  const folder = mkdtempSync(join(tmpdir(), "qkv-guide-"));
  const qkv = fileURLToPath(new URL("../packages/cli/dist/qkv.js", import.meta.url));
  try {
    const output = commands
      .filter((line) => line.startsWith("npx qkv "))
      .map((line) => {
        const args = line.split(" ").slice(2);
        const { status, stdout, stderr } = spawnSync(process.execPath, [qkv, ...args], {
          cwd: folder,
          encoding: "utf8",
        });
        expect(status, `${line}\n${stderr}`).toBe(0);
        return stdout;
      });
    expect(output.join("")).toMatch(/^plan +\d+ machines: \d+ copies, each on \d+ × \d+/m);
    expect(output.join("")).toMatch(/^assumed /m);
    expect(readdirSync(folder).sort()).toEqual([
      "my-model",
      "my-model-onnx",
      "my-model-onnx17",
      "my-model.gguf",
    ]);
    expect(readdirSync(join(folder, "my-model"))).toEqual(
      expect.arrayContaining(["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
