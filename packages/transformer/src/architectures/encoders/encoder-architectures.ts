import { albert } from "./albert.js";
import { bert } from "./bert.js";
import { distilbert } from "./distilbert.js";
import { electra } from "./electra.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { modernbert } from "./modernbert.js";
import { mpnet } from "./mpnet.js";
import { nomicBert } from "./nomic-bert.js";

/** The encoders that are loaded: a new one is one file and a line here. */
export const encoderArchitectures: readonly EncoderArchitecture[] = [
  albert,
  bert,
  distilbert,
  electra,
  modernbert,
  mpnet,
  nomicBert,
];
