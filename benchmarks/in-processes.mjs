// Runs contenders in Node, each in a process of its own.
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const ownChild = fileURLToPath(new URL("child.mjs", import.meta.url));
/** Timeout of one message in milliseconds: a slower contender has failed. */
const timeoutMs = 120_000;

/** @param {string} [child] - The program of a contender. Default: child.mjs beside this file. */
export function inProcesses(context, node, child = ownChild) {
  const versions = JSON.parse(
    execFileSync(node, ["-p", "JSON.stringify(process.versions)"], { encoding: "utf8" }),
  );
  const started = new Set();
  return {
    name: `Node ${versions.node}`,
    versions: { node: versions.node, v8: versions.v8 },
    async open(suite, { id }, contender) {
      const name = contender === "expected" ? contender : contender.name;
      const worker = fork(child, [suite, id, name, JSON.stringify(context)], {
        execPath: node,
        execArgv: [],
        serialization: "advanced",
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      });
      started.add(worker);
      worker.once("exit", () => started.delete(worker));
      let stderr = "";
      worker.stdout.resume();
      worker.stderr.on("data", (text) => (stderr = (stderr + text).slice(-2000)));
      const request = (what) => answer(worker, what, () => stderr);
      return {
        prepare: () => request("prepare"),
        output: () => request("output"),
        figure: () => request("figure"),
        async close() {
          if (worker.exitCode !== null || worker.signalCode !== null) return;
          const gone = once(worker, "exit");
          worker.kill("SIGKILL");
          await gone;
        },
      };
    },
    async close() {
      for (const worker of started) worker.kill("SIGKILL");
    },
  };
}

function answer(worker, what, stderr) {
  return new Promise((resolve, reject) => {
    const done = (settle) => (value) => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("exit", onExit);
      settle(value);
    };
    const [give, fail] = [done(resolve), done(reject)];
    const timer = setTimeout(() => fail(new Error(`no answer in ${timeoutMs / 1000} s`)), timeoutMs);
    const onMessage = ({ value, error }) => (error === undefined ? give(value) : fail(new Error(error)));
    const onExit = (code, signal) => {
      const last = stderr().trim().split("\n").filter(Boolean).at(-1);
      fail(new Error(`its process ended (${signal ?? code})${last ? `: ${last}` : ""}`));
    };
    worker.once("message", onMessage);
    worker.once("exit", onExit);
    if (worker.connected) worker.send(what);
    else onExit(worker.exitCode, worker.signalCode);
  });
}
