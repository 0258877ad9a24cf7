import { stemOf } from "../data-files.js";
import { torchFunctions } from "../torch/functions.js";
import { gruModule } from "../torch/gru.js";
import { linearModule } from "../torch/linear.js";
import { multiheadAttention } from "../torch/multihead-attention.js";
import { torchOptimizers } from "../torch/optimizers.js";
import { scaledDotProductAttention } from "../torch/scaled-dot-product-attention.js";
import { transformerDecoderLayer, transformerEncoderLayer } from "../torch/transformer-layers.js";
import { vectors } from "./vectors.js";

/** `torch/*.json`: PyTorch's modules, functions and optimizers with their gradients. The family is the file's stem. */
export const torch = vectors(
  "torch",
  [
    scaledDotProductAttention,
    multiheadAttention,
    linearModule,
    transformerEncoderLayer,
    transformerDecoderLayer,
    gruModule,
    ...torchFunctions,
    ...torchOptimizers,
  ],
  stemOf,
);
