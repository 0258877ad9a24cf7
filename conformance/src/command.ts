import { isQkvError } from "@qkv/core";
import { Command, CommanderError } from "commander";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { openDevice } from "./devices.js";
import { formatCounts, formatFamily, toJson, total } from "./report.js";
import { needsChromium, runInChromium } from "./in-chromium.js";
import { runConformance, type FamilyResult } from "./run.js";

/** The project's own reference data. */
const ownData = fileURLToPath(new URL("../data", import.meta.url));

/** Output streams of the command, and the current folder. */
export type Surroundings = { cwd: string; stdout(text: string): void; stderr(text: string): void };

/**
 * Runs `conformance [--data DIR] [--device D] [--only FAMILY]… [--json [FILE]]`.
 *
 * @param args - Arguments after the command's name.
 * @returns The exit code: 1 if a case failed or the command could not run, else 0.
 */
export async function conformance(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { cwd, stdout, stderr } = surroundings;
  const command = new Command("conformance")
    .description("Checks the qkv packages against reference data that was made elsewhere.")
    .option(
      "--data <dir>",
      "folder laid out like the reference data (default: the project's own, conformance/data)",
    )
    .option(
      "--device <device>",
      "device to run on: NAME[:MODE][,SETTING]…, as js, wasm,threads=2 or webgpu,browser",
      "js",
    )
    .option("--only <family>", "run this family only; may be given again", collect, [])
    .option("--json [file]", "one JSON object to FILE, or alone to stdout")
    .configureOutput({ writeOut: stdout, writeErr: stderr })
    .exitOverride();
  try {
    command.parse(args, { from: "user" });
    const options = command.opts<{ data?: string; device: string; only: string[]; json?: string | true }>();
    const print = (line: string) => (options.json === true ? stderr : stdout)(`${line}\n`);
    const run = {
      dataDir: options.data === undefined ? ownData : resolve(cwd, options.data),
      only: options.only,
      onFamily: (result: FamilyResult) => print(formatFamily(result)),
    };
    let results: FamilyResult[];
    if (needsChromium(options.device)) {
      const inPage = await runInChromium(options.device, run);
      results = inPage.results;
      print(`on ${inPage.renderer}, in Chromium`);
    } else {
      results = await runConformance(await openDevice(options.device), run);
    }
    const counts = total(results);
    print(formatCounts(counts));
    if (options.json !== undefined) {
      const json = `${toJson({ device: options.device, data: options.data ?? "conformance/data", results })}\n`;
      if (options.json === true) stdout(json);
      else writeFileSync(resolve(cwd, options.json), json);
    }
    return counts.failed > 0 ? 1 : 0;
  } catch (error) {
    // Commander has printed its message. Its exit code is 0 only for --help.
    if (error instanceof CommanderError) return error.exitCode;
    if (!isQkvError(error) && !(error instanceof Error && "code" in error)) throw error;
    stderr(`${(error as Error).message}\n`);
    return 1;
  }
}

const collect = (value: string, earlier: string[]): string[] => [...earlier, value];
