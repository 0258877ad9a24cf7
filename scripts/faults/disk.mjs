// A full disk: an export, a training checkpoint, a download and a result each fail with an error that names the file,
// and earlier files are unchanged. A limit on file sizes (ulimit) simulates the full disk; Windows has none.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openServer } from "../server.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const cli = at("../../packages/cli/dist/qkv.js");

/** Runs Node in a shell that limits each file to `kibibytes`. */
async function limited(kibibytes, args, environment = {}) {
  const child = spawn(
    "bash",
    ["-c", `ulimit -f ${kibibytes}; exec "$@"`, "bash", process.execPath, ...args],
    {
      env: { ...process.env, NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => (output += text));
  const [code] = await once(child, "close");
  return { code, output };
}

async function inFolder(f) {
  const folder = mkdtempSync(join(tmpdir(), "qkv-full-"));
  try {
    await f(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const shape = {
  model_type: "llama",
  hidden_size: 8,
  num_attention_heads: 2,
  num_hidden_layers: 1,
  intermediate_size: 16,
  vocab_size: 10,
};

export const disk = {
  async "an export to a full disk"() {
    await inFolder(async (folder) => {
      const program = `
        import { exportModel } from ${JSON.stringify(at("../../packages/transformer/dist/export.js"))};
        import { model } from ${JSON.stringify(at("worlds.mjs"))};
        const exported = { config: model.config, params: model.init(1) };
        await exportModel(exported, { to: "hf", out: ${JSON.stringify(join(folder, "model"))} })
          .catch((error) => console.log(error.name, error.message));`;
      const { output } = await limited(8, ["--input-type=module", "-e", program]);
      assert.match(
        output,
        /^ArgumentError exportModel: `out` is ".*model", expected a disk with room for the model, and this gives EFBIG.\nFix: .*on a disk with room/,
      );
      assert.deepEqual(readdirSync(folder), []);
    });
  },

  async "the checkpoint of a training run on a full disk"() {
    await inFolder(async (folder) => {
      const [text, out] = [join(folder, "text.txt"), join(folder, "run")];
      writeFileSync(text, "to be or not to be, that is the question. ".repeat(40));
      const sizes = "--layers 1 --dim 16 --heads 2 --kv-heads 1 --context 16 --batch-size 2".split(" ");
      const train = [
        cli,
        "train",
        text,
        "--out",
        out,
        "--device",
        "js",
        "--steps",
        "4",
        "--save-every",
        "2",
        ...sizes,
      ];
      const refused = await limited(4, train);
      assert.equal(refused.code, 1, refused.output);
      assert.match(
        refused.output,
        /qkv: `--out` is ".*", expected a file that can be written, and this one would be larger than a file may be.\nFix: make room/,
      );
      assert.deepEqual(
        readdirSync(out).filter((name) => /tmp|checkpoint/.test(name)),
        [],
      );
      const room = await limited("unlimited", [...train, "--resume"]);
      assert.equal(room.code, 0, room.output);
      assert.ok(existsSync(join(out, "checkpoint.safetensors")));
    });
  },

  async "a download to a full disk"() {
    await inFolder(async (folder) => {
      const server = await openServer((_, response) => response.end(Buffer.alloc(100_000)));
      try {
        const address = `${server.origin}/model`;
        const { code, output } = await limited(8, [cli, "generate", address], { QKV_CACHE: folder });
        assert.equal(code, 1, output);
        assert.match(
          output,
          /expected room for its 100000 bytes in .*, which gives EFBIG.\nFix: make room, or name another folder in QKV_CACHE/,
        );
        const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) =>
          one.isFile(),
        );
        assert.deepEqual(files, []);
      } finally {
        await server.close();
      }
    });
  },

  async "a result to a full disk"() {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "config.json"), JSON.stringify(shape));
      const result = join(folder, "result.json");
      writeFileSync(result, "old");
      const cost = [cli, "cost", folder, "--json"];
      const refused = await limited(0, [...cost, result]);
      assert.equal(refused.code, 1, refused.output);
      assert.match(refused.output, /qkv: `--json` is ".*result.json", expected a file that can be written/);
      assert.equal(readFileSync(result, "utf8"), "old");
      assert.deepEqual(readdirSync(folder).sort(), ["config.json", "result.json"]);
      if (!existsSync("/dev/full")) return;
      const { code, output } = await limited("unlimited", [...cost, "/dev/full"]);
      assert.equal(code, 1, output);
      assert.match(output, /`--json` is "\/dev\/full", expected .*, and this one is on a full disk/);
    });
  },
};
