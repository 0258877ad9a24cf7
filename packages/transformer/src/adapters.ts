/** LoRA adapters in PEFT's format: low-rank updates of a frozen model. */
export type { AdaptableModel, AdapterParams, Lora } from "./adapters/adaptable.js";
export type { LoraParams } from "./adapters/adapted-module.js";
export { loadAdapter } from "./adapters/load-adapter.js";
export { lora } from "./adapters/lora.js";
export type { LoraConfig } from "./adapters/lora-config.js";
export { saveAdapter } from "./adapters/save-adapter.js";
