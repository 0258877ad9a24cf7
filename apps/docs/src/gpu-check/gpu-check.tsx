import useBaseUrl from "@docusaurus/useBaseUrl";
import manifest from "@site/.cache/manifest.json";
import type { CheckResult } from "@qkv/device/check";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { WideTable } from "../wide-table";
import { adapterLines, begun, nothingYet, reportText, stateAfter, type CheckState } from "./check-state";
import panel from "../css/panel.module.css";
import styles from "./gpu-check.module.css";
import type { CheckNews, CheckOrder, Peer } from "./messages";

/** Our devices, in the order of the columns. */
const devices = ["webgpu", "gpu:webgl2", "gpu:webasm", "wasm", "js"];

/** The check: buttons, the table of errors, and the report to copy. */
export function GpuCheck(): ReactNode {
  const base = useBaseUrl("/");
  const worker = useRef<Worker>(undefined);
  const [state, setState] = useState(nothingYet);
  const [copied, setCopied] = useState<string>();
  useEffect(() => () => worker.current?.terminate(), []);

  const running = state.status === "running";
  const run = (order: { devices: readonly string[]; peers: readonly Peer[] }) => {
    const root = new URL(base, location.href);
    const names = [...order.devices, ...order.peers.map(({ name }) => name)];
    setState((before) => begun(before, names));
    worker.current?.terminate();
    const newWorker = (worker.current = new Worker(new URL(manifest.check, root), { type: "module" }));
    newWorker.onmessage = ({ data }: MessageEvent<CheckNews>) => {
      setState((before) => stateAfter(before, data));
      if (data.type === "done") newWorker.terminate();
    };
    newWorker.onerror = ({ message }) =>
      setState((before) =>
        stateAfter(
          stateAfter(before, {
            type: "left-out",
            subject: names.join(", "),
            reason: message || "its worker did not start",
          }),
          {
            type: "done",
          },
        ),
      );
    const peers = order.peers.map(({ name, file }) => ({ name, url: new URL(file, root).href }));
    newWorker.postMessage({ devices: order.devices, peers } satisfies CheckOrder);
  };
  const stop = () => {
    worker.current?.terminate();
    setState((before) => ({ ...before, status: "stopped", step: "" }));
  };
  const report = () =>
    reportText(state, [
      `browser: ${navigator.userAgent}`,
      `date: ${new Date().toISOString().slice(0, 10)}`,
      `page: ${location.origin}${location.pathname}`,
    ]);
  const copy = async () => {
    const result = await navigator.clipboard.writeText(report()).then(
      () => "Copied",
      () => "Not allowed by this browser",
    );
    setCopied(result);
    setTimeout(() => setCopied(undefined), 2000);
  };

  return (
    <section
      className={`${panel.panel} ${styles.check}`}
      aria-label="Check of this device"
      data-gpu-check={state.status}
    >
      <div className={panel.buttons}>
        <button
          type="button"
          className={panel.run}
          disabled={running}
          onClick={() => run({ devices, peers: [] })}
        >
          Check my device
        </button>
        {manifest.peers.map((peer) => (
          <button
            key={peer.name}
            type="button"
            disabled={running}
            data-peer={peer.name}
            onClick={() => run({ devices: [], peers: [peer] })}
          >
            Add {peer.name} ({megabytes(peer.bytes)})
          </button>
        ))}
        <button type="button" disabled={!running} onClick={stop}>
          Stop
        </button>
        <button type="button" disabled={running || state.status === "idle"} onClick={copy}>
          {copied ?? "Copy report"}
        </button>
      </div>
      <p role="status" className={panel.status}>
        {statusText(state)}
      </p>
      {state.status !== "idle" && (
        <ul className={styles.facts}>
          {adapterLines(state).map((line) => (
            <li key={line}>{line}</li>
          ))}
          {state.leftOut.map(({ subject, reason }) => (
            <li key={subject}>
              left out: <strong>{subject}</strong>: {reason}
            </li>
          ))}
        </ul>
      )}
      {state.results.length > 0 && <ErrorTable results={state.results} />}
    </section>
  );
}

/** A row for each case, a column for each device or library: the largest error relative to the largest element. */
function ErrorTable({ results }: { results: readonly CheckResult[] }): ReactNode {
  const subjects = [...new Set(results.map(({ subject }) => subject))];
  const cases = [...new Map(results.map((result) => [result.case, result])).values()];
  const wrong = results.filter(({ passed }) => !passed);
  return (
    <>
      <WideTable>
        <thead>
          <tr>
            <th scope="col">case</th>
            <th scope="col">finds</th>
            {subjects.map((subject) => (
              <th key={subject} scope="col">
                {subject}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {cases.map(({ case: name, finds }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{finds}</td>
              {subjects.map((subject) => {
                const found = results.find((result) => result.case === name && result.subject === subject);
                return (
                  <td key={subject} className={found && !found.passed ? styles.wrong : styles.right}>
                    {found && cellText(found)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </WideTable>
      {wrong.length > 0 && (
        <ul>
          {wrong.map(({ subject, case: name, message, error, tolerance }) => (
            <li key={`${subject} ${name}`}>
              <strong>{subject}</strong>, {name}:{" "}
              {message ?? `${error!.toExponential(1)}, more than ${tolerance}`}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function cellText({ error, passed }: CheckResult): string {
  if (error === null) return "failed";
  const text = error === 0 ? "0" : error.toExponential(1);
  return passed ? text : `wrong: ${text}`;
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function statusText({ status, step, results }: CheckState): string {
  if (status === "idle") return "Nothing runs, and nothing is loaded, until you press a button.";
  if (status === "running") return `Checking … ${step}`;
  const passed = results.filter((result) => result.passed).length;
  return `${status === "stopped" ? "Stopped. " : ""}${passed} of ${results.length} results agree with float64, on this device just now.`;
}
