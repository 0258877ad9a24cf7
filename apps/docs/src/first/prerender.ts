// Computes the initial content of the first page in Node when the site is built.
import { lookAt } from "./look";
import { firstModel } from "./model";
import { sentence } from "./sentence";

const model = await firstModel();
const { weights, ...look } = await lookAt(model, model.apply, sentence);
const headDim = model.config.headDim ?? model.config.embedDim / model.config.numHeads;
// One byte per weight is sufficient precision for a screen.
const bytes = Uint8Array.from(weights, (weight) => Math.round(weight * 255));
console.log(JSON.stringify({ ...look, headDim, weights: Buffer.from(bytes).toString("base64") }));
