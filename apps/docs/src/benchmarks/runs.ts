/** A row as recorded by `npm run bench -- --record`; benchmarks/history.mjs writes it. */
export type RecordedRow = {
  readonly date: string;
  readonly commit: string;
  readonly processor: string;
  /** Node or Chromium, with its version. */
  readonly engine: string;
  readonly threads: number;
  readonly row: string;
  readonly unit: string;
  /** Our median, in the unit. */
  readonly ours: number;
  /** The best JavaScript peer, and our speed relative to it. */
  readonly peer?: string;
  readonly ratio?: number;
  /** The same for the best native library, and for the limit of the machine in the same run. */
  readonly native?: number;
  readonly limit?: number;
};

/** Measurements on one processor, in one engine, with one number of threads. */
export type Machine = {
  readonly processor: string;
  readonly engine: string;
  readonly threads: number;
  /** The latest measurement of each row, in the order of the suites, with earlier ratios to the best peer. */
  readonly rows: readonly (RecordedRow & { readonly before: readonly number[] })[];
};

/** Parses history files: lines of JSON, oldest first. Machines with the latest measurements come first. */
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
