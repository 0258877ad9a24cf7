import { clip, clipVision } from "./clip.js";
import { deit } from "./deit.js";
import { dinov2, dinov2WithRegisters } from "./dinov2.js";
import { siglip, siglipVision } from "./siglip.js";
import type { DualEncoderArchitecture, VisionArchitecture } from "./vision-architecture.js";
import { vit } from "./vit.js";

/** The supported vision transformers. To add one, add a file and a line here. */
export const visionArchitectures: readonly VisionArchitecture[] = [
  vit,
  deit,
  dinov2,
  dinov2WithRegisters,
  clipVision,
  siglipVision,
];

/** The supported dual encoders. */
export const dualEncoderArchitectures: readonly DualEncoderArchitecture[] = [clip, siglip];
