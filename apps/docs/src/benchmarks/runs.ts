/** One row as `npm run bench -- --record` keeps it; benchmarks/history.mjs writes it. */
export type RecordedRow = {
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  /** Node or Chromium, with its version. */
  readonly engine: string;
  readonly threads: number;
  readonly row: string;
  readonly unit: string;
  /** The median of ours, in the unit. */
  readonly ours: number;
  /** The best peer of JavaScript, and how many times as fast ours is. */
  readonly peer?: string;
  readonly ratio?: number;
  /** The same of the best native library, and of the limit of the machine in the same run. */
  readonly native?: number;
  readonly limit?: number;
};

/** Measurements on one processor, in one engine, with one number of threads. */
export type Machine = {
  readonly processor: string;
  readonly engine: string;
  readonly threads: number;
  /** The newest measurement of each row, in the order of the suites, with the ratios to the best peer before it. */
  readonly rows: readonly (RecordedRow & { readonly before: readonly number[] })[];
};

/** Reads history files: lines of JSON, the oldest first. Machines with the newest measurements come first. */
export function machinesOf(files: readonly string[]): Machine[] {
  const machines = new Map<string, Map<string, RecordedRow[]>>();
  for (const line of files.flatMap((text) => text.split("\n")).filter(Boolean)) {
    const row = JSON.parse(line) as RecordedRow;
    const key = JSON.stringify([row.processor, row.engine, row.threads]);
    const rows = machines.get(key) ?? new Map<string, RecordedRow[]>();
    machines.set(key, rows);
    rows.set(row.row, [...(rows.get(row.row) ?? []), row]);
  }
  const newest = ({ rows }: Machine) => rows.reduce((last, { date }) => (date > last ? date : last), "");
  return [...machines.values()]
    .map((rows) => {
      const latest = [...rows.values()].map((all) => {
        const earlier = all.slice(0, -1).flatMap(({ ratio }) => (ratio === undefined ? [] : [ratio]));
        return { ...all.at(-1)!, before: earlier };
      });
      const { processor, engine, threads } = latest[0]!;
      return { processor, engine, threads, rows: latest };
    })
    .toSorted((a, b) => newest(b).localeCompare(newest(a)));
}
