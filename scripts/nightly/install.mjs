export const about =
  "Each package alone in an empty folder: npm install, ESM and CommonJS on Node 20 and 24, its types in three settings.";

export const steps = [
  { name: "build", command: ["turbo", "run", "build", "--filter=./packages/*"] },
  { name: "install", command: ["node", "scripts/install-alone.mjs"], counts: true },
];
