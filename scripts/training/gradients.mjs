// The worker module of `workers.mjs`.
import { decoder } from "../../packages/transformer/dist/index.js";
import { tokenLoss } from "../../packages/transformer/dist/training.js";
import { wasm } from "../../packages/wasm/dist/index.js";
import { serveGradients } from "../../packages/worker/dist/training.js";

serveGradients(async (config) => ({ loss: tokenLoss(decoder(config)), device: await wasm({ threads: 1 }) }));
