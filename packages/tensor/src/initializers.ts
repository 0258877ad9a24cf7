export { truncatedNormal } from "./initializers/truncated-normal.js";
export {
  kaimingNormal,
  kaimingUniform,
  xavierNormal,
  xavierUniform,
  type KaimingOptions,
  type XavierOptions,
} from "./initializers/xavier-and-kaiming.js";
