// Writes the maps and states that *The evolution of attention* draws for mechanisms since 2020: `node
// packages/figures/scripts/write-evolution-maps.mjs` after a build. A test holds the file to what the packages give.
import { writeFileSync } from "node:fs";
import { mapsOfToday } from "../src/evolution/maps-of-today.ts";

const rounded = JSON.stringify(mapsOfToday(), (_, value) =>
  typeof value === "number" ? Number(value.toFixed(2)) : value,
);
writeFileSync(
  new URL("../src/evolution/numbers.ts", import.meta.url),
  `// Written by packages/figures/scripts/write-evolution-maps.mjs.
import type { MapsOfToday } from "./maps-of-today.js";

/** Numbers of {@link MapsOfToday}, to two digits. */
export const today = /* @__PURE__ */ JSON.parse(
  \`${rounded}\`,
) as MapsOfToday;
`,
);
