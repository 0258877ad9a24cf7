// Property tests use the same cases in every run, so that results are reproducible. QKV_SEED selects others:
//   QKV_SEED=$RANDOM npm test
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["QKV_SEED"] ?? 20261125) });
