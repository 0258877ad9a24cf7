import { useMemo, useState, type ReactNode } from "react";
import { WideTable } from "../wide-table";
import styles from "./gallery.module.css";
import { modelRows, type ModelRow } from "./model-rows";

type Column = {
  name: string;
  by: (row: ModelRow) => number | string;
  shows: (row: ModelRow) => ReactNode;
  /** True if the first click sorts in descending order. Default: ascending. */
  descending?: boolean;
};

const columns: readonly Column[] = [
  { name: "model", by: ({ name }) => name, shows: ({ name }) => name },
  { name: "year", by: ({ year }) => year, shows: ({ year }) => year, descending: true },
  { name: "layers", by: ({ fullShare }) => fullShare, shows: ({ kinds }) => kinds },
  {
    name: "query / KV heads",
    by: ({ heads, kvHeads }) => heads / kvHeads,
    shows: ({ heads, kvHeads, sharing }) => (
      <>
        {heads} / {kvHeads} <small>{sharing}</small>
      </>
    ),
    descending: true,
  },
  {
    name: "cache per token",
    by: (row) => row.bytesPerToken,
    shows: (row) => bytesText(row.bytesPerToken),
  },
  {
    name: "at 32K tokens",
    by: (row) => row.bytesAt32K,
    shows: (row) => bytesText(row.bytesAt32K),
  },
  {
    name: "parameters",
    by: (row) => row.parameters,
    shows: (row) => parametersText(row.parameters),
    descending: true,
  },
];

/** A table of all known models. A click on a heading sorts, a click on a name opens the model in the figure. */
export function ModelTable({ onOpen }: { onOpen: (id: string) => void }): ReactNode {
  const rows = useMemo(modelRows, []);
  const [sorted, setSorted] = useState({ column: 1, descending: true });
  const { by } = columns[sorted.column]!;
  const shown = rows.toSorted((a, b) => (sorted.descending ? -1 : 1) * compare(by(a), by(b)));
  const sort = (column: number) =>
    setSorted(({ column: before, descending }) => ({
      column,
      descending: before === column ? !descending : (columns[column]!.descending ?? false),
    }));
  return (
    <WideTable className={styles.table}>
      <caption>{rows.length} published models. Press a heading to sort.</caption>
      <thead>
        <tr>
          {columns.map(({ name }, i) => (
            <th
              key={name}
              scope="col"
              aria-sort={sorted.column !== i ? undefined : sorted.descending ? "descending" : "ascending"}
            >
              <button type="button" onClick={() => sort(i)}>
                {name}
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {shown.map((row) => (
          <tr key={row.id}>
            <th scope="row">
              <a
                href={`?model-stack=${encodeURIComponent(`model=${row.id}`)}`}
                onClick={(event) => {
                  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
                  event.preventDefault();
                  onOpen(row.id);
                }}
              >
                {row.name}
              </a>
            </th>
            {columns.slice(1).map(({ name, shows }) => (
              <td key={name}>{shows(row)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </WideTable>
  );
}

const compare = (a: number | string, b: number | string) =>
  typeof a === "string" ? a.localeCompare(String(b), "en") : a - Number(b);

function parametersText(count: number): string {
  if (count >= 1e12) return `${Number((count / 1e12).toPrecision(3))} trillion`;
  return count >= 1e9
    ? `${Number((count / 1e9).toPrecision(3))} billion`
    : `${Number((count / 1e6).toPrecision(3))} million`;
}

function bytesText(bytes: number): string {
  if (bytes === 0) return "none";
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(3))} ${["B", "KiB", "MiB", "GiB"][power]!}`;
}
