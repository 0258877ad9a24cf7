import type { Rule, Traits } from "./architectures.js";
import type { Fields } from "./config-fields.js";
import type { AttentionShape, HeadsAttention, Reach } from "./model-shape.js";
/** Whether a rule holds for a configuration. */
export declare const holds: (rule: Rule, fields: Fields) => boolean;
/** What the attention of a layer is. */
export declare function readAttention(fields: Fields, traits: Traits, layer: number): AttentionShape;
/** Query heads that share key-value heads. `names` are the fields where a stack has its own. */
export declare function readHeads(
  fields: Fields,
  traits: Traits,
  reach: Reach,
  heads?: number,
): HeadsAttention;
