import type { ModelTrace } from "../layers/trace.js";

/** Functions that replace tensors of a traced call, by full name. */
export type Interventions = NonNullable<ModelTrace["interventions"]>;
