// Property tests use the same cases in every run, so that results are reproducible. QKV_SEED selects others:
//   QKV_SEED=$RANDOM npm test
// The first tier runs 10 cases of a property that states no number, all other runs 100.
import fc from "fast-check";
import { tier } from "./tier.mjs";

fc.configureGlobal({
  seed: Number(process.env["QKV_SEED"] ?? 20261125),
  numRuns: tier === "1" ? 10 : 100,
});
