// Property tests try the same cases in every run, so that a change is judged and not luck. QKV_SEED tries others:
//   QKV_SEED=$RANDOM npm test
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["QKV_SEED"] ?? 20261125) });
