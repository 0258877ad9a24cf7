import type { ReactNode } from "react";
import { WideTable } from "../wide-table";
import styles from "./benchmark-tables.module.css";
import { machinesOf } from "./runs";

const history = require.context<{ default: string }>(
  "!!raw-loader!../../../../benchmarks/history",
  false,
  /\.jsonl$/,
);
const machines = machinesOf(history.keys().map((file) => history(file).default));

/**
 * The latest recorded run of each processor: ours compared with the best peer, the best native library and the limit.
 */
export function BenchmarkTables(): ReactNode {
  return machines.map(({ processor, engine, threads, rows }) => {
    const [dates, commits] = [rows.map(({ date }) => date), rows.map(({ commit }) => commit)];
    const span = (all: string[]) => [...new Set(all)].toSorted().join(", ");
    return (
      <section key={`${processor} ${engine} ${threads}`}>
        <h3>
          {processor}, {engine}, {threads === 1 ? "one thread" : `${threads} threads`}
        </h3>
        <p>
          Measured on {span(dates)}, commit {span(commits)}.
        </p>
        <WideTable>
          <thead>
            <tr>
              <th>benchmark</th>
              <th>qkv</th>
              <th>speed relative to the fastest other library</th>
              <th>fastest other library</th>
              <th>of the fastest native library</th>
              <th>of the machine limit</th>
              <th>earlier relative speeds</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ row, unit, ours, peer, ratio, native, limit, before }) => (
              <tr key={row}>
                <td>{row}</td>
                <td>
                  {short(ours)} {unit}
                </td>
                <td>{ratio !== undefined && <Bar ratio={ratio} />}</td>
                <td>{peer}</td>
                <td>{native !== undefined && short(native)}</td>
                <td>{limit !== undefined && `${(100 * limit).toFixed(0)}%`}</td>
                <td>{before.map(short).join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      </section>
    );
  });
}

/** A ratio with a bar on a logarithmic scale, from 1/4 to 16. */
function Bar({ ratio }: { ratio: number }): ReactNode {
  const share = Math.min(1, Math.max(0, (Math.log2(ratio) + 2) / 6));
  return (
    <span className={styles.ratio}>
      <span className={styles.number}>{short(ratio)}</span>
      <span className={styles.track} aria-hidden="true">
        <span
          className={ratio < 1 ? styles.behind : styles.ahead}
          style={{ inlineSize: `${(100 * share).toFixed(1)}%` }}
        />
      </span>
    </span>
  );
}

const short = (x: number): string => (x >= 100 ? x.toFixed(0) : x.toPrecision(3));
