export { embed } from "./embed.js";
export { generate, type GenerateOptions } from "./generate.js";
export { load, type LoadOptions } from "./load.js";
export type { WorkerModel } from "./model.js";
export type { NodePort } from "./node-threads.js";
export type { LoadedModel, ModelSizes } from "./protocol.js";
export type { ModelOptions } from "./sent-options.js";
export type { WorkerChoice } from "./spawn.js";
