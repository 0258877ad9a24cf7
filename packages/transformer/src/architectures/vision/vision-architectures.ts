import { clip, clipVision } from "./clip.js";
import { deit } from "./deit.js";
import { dinov2, dinov2WithRegisters } from "./dinov2.js";
import { siglip, siglipVision } from "./siglip.js";
import type { DualEncoderArchitecture, VisionArchitecture } from "./vision-architecture.js";
import { vit } from "./vit.js";

/** The vision transformers that are loaded: a new one is one file and a line here. */
export const visionArchitectures: readonly VisionArchitecture[] = [
  vit,
  deit,
  dinov2,
  dinov2WithRegisters,
  clipVision,
  siglipVision,
];

/** The dual encoders that are loaded. */
export const dualEncoderArchitectures: readonly DualEncoderArchitecture[] = [clip, siglip];
