import { bltOps } from "../blt/ops.js";
import { vectors } from "./vectors.js";

/** `blt/*.json`: byte patching of the Byte Latent Transformer. One family. */
export const blt = vectors("blt", bltOps, () => "blt");
