export const about =
  "One hour, or as many minutes as are named, of generation, training and forks of caches in one process, with a fault in each round: the same outputs, flat memory.";
export const takes = "[MINUTES]";

export const steps = ([minutes = "60"]) => [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "soak", command: ["node", "--expose-gc", "scripts/soak/run.mjs", minutes], counts: true },
];
