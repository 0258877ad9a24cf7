/** A measured row as text: contenders from best to worst, their resident data, and the ratios. */
export function table({ id, unit, better, results, failed = [], ratios, pairs = {} }) {
  const sorted = results.toSorted((a, b) => (better === "low" ? a.median - b.median : b.median - a.median));
  const width = Math.max(...[...results, ...failed].map(({ name }) => name.length));
  const residents = Math.max(...results.map(({ resident = "" }) => resident.length));
  const stays = (resident) => (resident ? `${resident} resident` : "");
  const lines = sorted.map(({ name, kind, resident, threads, median, min, wrong, stopped, note = "" }) =>
    [
      `  ${name.padEnd(width)}`,
      kind.padEnd(6),
      `${threads}t`,
      ...(residents > 0 ? [stays(resident).padEnd(residents + " resident".length)] : []),
      digits(median).padStart(9),
      `min ${digits(min)}`.padEnd(13),
      wrong ? "WRONG" : "",
      stopped ? "over 10 times slower, run once" : "",
      note,
    ]
      .join("  ")
      .trimEnd(),
  );
  const refused = failed.map(
    ({ name, kind, reason }) => `  ${name.padEnd(width)}  ${kind.padEnd(6)}  failed: ${reason}`,
  );
  const byName = (kind) => (pairs[kind] ? ` (${pairs[kind].join(" / ")})` : "");
  const ratio = [
    ratios.peer !== undefined && `${ratios.peer.toFixed(2)} of the best peer${byName("peer")}`,
    ratios.rival !== undefined && `${ratios.rival.toFixed(2)} of the rival`,
    ratios.aim !== undefined && `aim ${ratios.aim}`,
    ratios.native !== undefined && `${ratios.native.toFixed(2)} of native${byName("native")}`,
    ratios.limit !== undefined && `${ratios.limit.toFixed(2)} of the limit`,
  ].filter(Boolean);
  const title = `${id} (${unit}, ${better === "low" ? "less" : "more"} is better)`;
  return [title, ...lines, ...refused, ratio.length > 0 ? `  ours: ${ratio.join(", ")}` : ""]
    .filter(Boolean)
    .join("\n");
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
}
