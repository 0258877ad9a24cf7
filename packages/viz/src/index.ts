export { attentionMap, type AttentionMapOptions } from "./attention-map.js";
export {
  attributionGraph,
  type Attribution,
  type AttributionGraphOptions,
  type AttributionNode,
} from "./attribution-graph.js";
export { bars, type BarsOptions } from "./bars.js";
export { cachePages, type CachePages, type CachePagesOptions } from "./cache-pages.js";
export type { SelectedCell, SelectedWeight } from "./cell-frame.js";
export type { PictureData } from "./check-data.js";
export { headGrid, type HeadGridOptions, type SelectedHead } from "./head-grid.js";
export type { HeadMarks } from "./head-marks.js";
export { headView, type HeadViewOptions } from "./head-view.js";
export { lines, type LinesOptions } from "./lines.js";
export {
  logitLensView,
  type FinalTokens,
  type LogitLensTokens,
  type LogitLensViewOptions,
} from "./logit-lens-view.js";
export type { MaskData } from "./mask-reader.js";
export { maskTiles, type MaskTilesOptions, type Sees } from "./mask-tiles.js";
export { modelView, type ModelViewOptions } from "./model-view.js";
export { neuronView, type NeuronViewOptions } from "./neuron-view.js";
export { patchingView, type PatchedMetric, type PatchingViewOptions } from "./patching-view.js";
export { pictureStyle, type Meaning } from "./palette.js";
export { isPicture } from "./picture.js";
export { pieces, type PieceRow, type PiecesOptions } from "./pieces.js";
export { planTiles, type PlanTilesOptions, type TileClasses } from "./plan-tiles.js";
export { roofline, type Roof, type RooflineOptions } from "./roofline.js";
export { ropeClock, type RopeClockOptions } from "./rope-clock.js";
export { tableOf, type PictureTable } from "./table-of.js";
export { tokenArcs, type TokenArcsOptions } from "./token-arcs.js";
export { trainingView, type TrainingRow, type TrainingViewOptions } from "./training-view.js";
export { vectors, type VectorsOptions } from "./vectors.js";
export { readViewFile } from "./view-file.js";
export { weightPixels, type WeightPixels } from "./weight-pixels.js";
export { weightShades, type WeightShade } from "./weight-shades.js";
