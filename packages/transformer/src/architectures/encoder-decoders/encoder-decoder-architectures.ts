import { bart, mbart } from "./bart.js";
import { blenderbot } from "./blenderbot.js";
import type { EncoderDecoderArchitecture } from "./encoder-decoder-architecture.js";
import { m2m100 } from "./m2m-100.js";
import { marian } from "./marian.js";
import { pegasus } from "./pegasus.js";
import { t5 } from "./t5.js";

/** The supported encoder–decoders. To add one, add a file and a line here. */
export const encoderDecoderArchitectures: readonly EncoderDecoderArchitecture[] = [
  bart,
  mbart,
  m2m100,
  marian,
  pegasus,
  blenderbot,
  t5,
];
