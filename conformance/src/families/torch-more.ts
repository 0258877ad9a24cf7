import type { Kind } from "../case.js";
import { activations } from "../torch-more/activations.js";
import { convolutions } from "../torch-more/convolutions.js";
import { cumulative } from "../torch-more/cumulative.js";
import { elementwise } from "../torch-more/elementwise.js";
import { indexing } from "../torch-more/indexing.js";
import { losses } from "../torch-more/losses.js";
import { norms } from "../torch-more/norms.js";
import { optimizers } from "../torch-more/optimizers.js";
import { reductions } from "../torch-more/reductions.js";
import { schedules } from "../torch-more/schedules.js";
import { transforms } from "../torch-more/transforms.js";
import { vectors } from "./vectors.js";

const noLayer = "a function of probability theory that no layer here needs";
const recurrent = "a recurrent layer, of which the packages have the GRU alone";
const images = "an operation on images that no encoder here needs";
const older = "an optimizer that transformers are not trained with";

const withTensors = vectors(
  "torch-more",
  [
    ...activations,
    ...norms,
    ...elementwise,
    ...cumulative,
    ...reductions,
    ...indexing,
    ...losses,
    ...optimizers,
    ...convolutions,
    ...transforms,
  ],
  () => "torch-more",
  {
    erfinv: noLayer,
    lgamma: noLayer,
    digamma: noLayer,
    lstm: recurrent,
    rnn_tanh: recurrent,
    ctc_loss: "an alignment of sequences, as recognizers of speech have it",
    embedding_bag: "the mean of rows of a table, without a layer that needs it",
    ...Object.fromEntries(
      [
        ...["conv_transpose1d", "conv_transpose2d", "interpolate", "fold", "unfold"],
        ...["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_max_pool2d"],
      ].map((op) => [op, images]),
    ),
    ...Object.fromEntries(
      ["nadam", "radam", "rmsprop", "adamax", "adagrad", "adadelta", "rprop", "asgd"].map((op) => [
        op,
        older,
      ]),
    ),
  },
);

/** `torch-more/*.json`: further functions, losses, optimizers and schedules of PyTorch's, with their gradients. */
export const torchMore: Kind = (data) =>
  withTensors(data).map((source) =>
    source.file.endsWith("/schedules.json") ? schedules(data, source.family) : source,
  );
