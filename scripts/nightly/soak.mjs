export const about =
  "One hour, or as many minutes as are named, of generation, training and forks of caches in one process, with a fault in each round: the same outputs, flat memory. Then, for a sixth of that, components of React and Vue that come and go with their workers in Chromium.";
export const takes = "[MINUTES]";

export const steps = ([minutes = "60"]) => [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "soak", command: ["node", "--expose-gc", "scripts/soak/run.mjs", minutes], counts: true },
  {
    name: "pages",
    command: ["node", "scripts/soak/pages.mjs", String(Number(minutes) / 6)],
    counts: true,
  },
];
