import { attention, causal, maskTensor } from "@qkv/attention";
import { ArgumentError } from "@qkv/core";
import {
  checkCases,
  checkSubjects,
  checkText,
  deviceSubject,
  type CheckReport,
  type Subject,
} from "@qkv/device/check";
import type { Command } from "commander";
import { openDevice } from "../device-option.js";
import type { Io } from "../io.js";
import { withJson } from "../json-result.js";
import { progressLine } from "../progress-line.js";

declare const __VERSION__: string;

/** Devices that can run in Node; gpu.js only if it is installed. */
const defaultDevices = ["webgpu", "gpu:webasm", "wasm", "js"] as const;

type Options = { device?: string[]; json?: true | string };

/** The report: results, facts about this machine, and skipped devices with the reasons. */
type GpuReport = CheckReport & {
  readonly adapter: string | null;
  readonly software: boolean;
  readonly versions: { readonly qkv: string; readonly node: string };
  readonly leftOut: readonly { readonly device: string; readonly reason: string }[];
};

/** Adds `qkv check-gpu`: compares results of this machine's devices with float64. */
export function addCheckGpu(program: Command, io: Io): void {
  program
    .command("check-gpu")
    .summary("compare what the devices here compute with float64")
    .description(
      "Compares matrix products and attention of the devices here with float64, at cases that have gone wrong on GPUs: odd sizes, long sums and sequences, sums beyond float16, rows that see nothing, NaN where masked, large logits. Ends with code 1 if a number is wrong.",
    )
    .option(
      "--device <names...>",
      `devices to check (default: ${defaultDevices.join(", ")}, those of them that open here)`,
    )
    .option("--json [file]", "write one JSON object to the file; without a file, print only that object")
    .addHelpText(
      "after",
      "\nExample:\n  qkv check-gpu --device webgpu webgpu,subgroups=off --json report.json",
    )
    .action((options: Options) => runCheck(options, io));
}

async function runCheck({ device: names, json }: Options, io: Io): Promise<void> {
  let failed = 0;
  await withJson(
    json,
    io,
    async () => {
      const report = await checkHere(names, io);
      failed = report.failed;
      return report;
    },
    ({ adapter, software, versions, leftOut, ...report }) =>
      checkText(report, [
        `adapter: ${adapter ?? "none"}${software ? " (software on the CPU)" : ""}`,
        `qkv ${versions.qkv}, Node ${versions.node}`,
        ...leftOut.map(({ device, reason }) => `left out: ${device}: ${reason}`),
      ]),
  );
  if (failed === 0) return;
  throw new ArgumentError({
    fn: "qkv check-gpu",
    argument: "device",
    received: `${failed} wrong results`,
    expected: "the numbers of float64",
    fix: "use a device whose column has no WRONG and no FAILED, and report the table with the adapter's name.",
  });
}

async function checkHere(names: readonly string[] | undefined, { err, signal }: Io): Promise<GpuReport> {
  const leftOut: GpuReport["leftOut"][number][] = [];
  let adapter: string | null = null;
  let software = false;
  const closing: (() => unknown)[] = [];
  const subjects: Subject[] = [];
  for (const name of names ?? defaultDevices) {
    try {
      const device = await openDevice(name, err);
      if ("close" in device) closing.push(() => (device as { close(): unknown }).close());
      const facts = device.report() as { adapter?: string; software?: boolean };
      if (adapter === null && facts.adapter !== undefined) {
        adapter = facts.adapter;
        software = facts.software ?? false;
      }
      subjects.push(
        deviceSubject(name, device, (query, key, value, mask) =>
          attention(query, key, value, mask && { mask: mask === "causal" ? causal() : maskTensor(mask) }),
        ),
      );
    } catch (error) {
      // A missing device is an error if it was requested, and skipped if it is one of the defaults.
      if (names !== undefined) throw error;
      leftOut.push({ device: name, reason: (error as Error).message.split("\n")[0]! });
    }
  }
  const line = progressLine(err);
  const total = checkCases().length * subjects.length;
  let done = 0;
  try {
    const report = await checkSubjects(subjects, {
      signal,
      onResult: ({ subject, case: name }) => line.show(++done / total, `${subject}: ${name}`),
    });
    const versions = { qkv: __VERSION__, node: process.version };
    return { ...report, adapter, software, versions, leftOut };
  } finally {
    line.clear();
    for (const close of closing) await close();
  }
}
