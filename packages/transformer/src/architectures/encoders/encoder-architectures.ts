import { albert } from "./albert.js";
import { bert } from "./bert.js";
import { deberta, debertaV2 } from "./deberta.js";
import { distilbert } from "./distilbert.js";
import { electra } from "./electra.js";
import type { EncoderArchitecture } from "./encoder-architecture.js";
import { esm } from "./esm.js";
import { modernbert } from "./modernbert.js";
import { mpnet } from "./mpnet.js";
import { nomicBert } from "./nomic-bert.js";
import { robertaPrelayernorm } from "./roberta-prelayernorm.js";

/** The supported encoders. To add one, add a file and a line here. */
export const encoderArchitectures: readonly EncoderArchitecture[] = [
  albert,
  bert,
  robertaPrelayernorm,
  deberta,
  debertaV2,
  distilbert,
  electra,
  esm,
  modernbert,
  mpnet,
  nomicBert,
];
