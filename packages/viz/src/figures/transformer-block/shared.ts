import type { Layout } from "./layout.js";
import type { Chosen, TransformerBlockModel } from "./model.js";
import type { Scales } from "./scales.js";
import type { View } from "./view.js";

/** Arguments of the marks of a row. */
export type Shared = {
  model: TransformerBlockModel;
  chosen: Chosen;
  layout: Layout;
  view: View;
  scales: Scales;
  focus: string | undefined;
};
