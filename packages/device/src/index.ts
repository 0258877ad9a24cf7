export { device, type DeviceOptions } from "./device.js";
export type { Attempt, BestDevice, Choice } from "./choice.js";
export type { ChoiceStorage } from "./stored-choices.js";
