export { attentionMap, type AttentionMapOptions } from "./attention-map.js";
export { bars, type BarsOptions } from "./bars.js";
export type { PictureData } from "./check-data.js";
export { lines, type LinesOptions } from "./lines.js";
export type { MaskData } from "./mask-reader.js";
export { pictureStyle, type Meaning } from "./palette.js";
export { isPicture } from "./picture.js";
export { pieces, type PieceRow, type PiecesOptions } from "./pieces.js";
export { roofline, type Roof, type RooflineOptions } from "./roofline.js";
