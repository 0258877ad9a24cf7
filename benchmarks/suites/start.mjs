// From the shell's prompt to the first word: a process that starts, loads the command's own model, reads a prompt and
// generates one token. The limit is an empty Node process.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const qkv = fileURLToPath(new URL("../.cache/ours/node_modules/qkv/dist/qkv.js", import.meta.url));
const generate = ["generate", "--prompt", "Once upon a time", "--max-tokens", "1", "--temperature", "0"];
const node = promisify(execFile).bind(null, process.execPath);

const started = (name, kind, args) => ({
  name,
  kind,
  resident: "nothing",
  prepare: () => ({ call: () => node(args) }),
});

export const rows = (context) =>
  context.browser
    ? []
    : [
        {
          id: "start/generate",
          unit: "ms",
          better: "low",
          contenders: [
            ...["js", ...context.devices].map((device) =>
              started(`qkv on ${device}`, "ours", [qkv, ...generate, "--device", device]),
            ),
            started("Node alone", "limit", ["--eval", "0"]),
          ],
        },
      ];
