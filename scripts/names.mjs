// Writes the site's table of names: ours, with those of PyTorch, NumPy and TensorFlow.js. node scripts/names.mjs
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = new URL("../apps/docs/reference/tensor/names.mdx", import.meta.url);

/**
 * Rows by entry point: our name or call, then those of PyTorch, NumPy and TensorFlow.js; a dash if there is none. `F` is
 * torch.nn.functional, `init` torch.nn.init, `optim` torch.optim, `sched` torch.optim.lr_scheduler.
 */
const tables = {
  "@qkv/tensor": `
tensor | tensor | array | tensor
zeros | zeros | zeros | zeros
ones | ones | ones | ones
full | full | full | fill
zerosLike | zeros_like | zeros_like | zerosLike
onesLike | ones_like | ones_like | onesLike
arange | arange | arange | range
linspace | linspace | linspace | linspace
eye | eye | eye | eye
diag | diag | diag | diag
meshgrid | meshgrid | meshgrid | meshgrid
oneHot | F.one_hot | – | oneHot
randn | randn | random.standard_normal | randomNormal
uniform | rand | random.uniform | randomUniform
randint | randint | random.randint | randomUniformInt
permutation | randperm | random.permutation | –
bernoulli | bernoulli | – | –
categorical | multinomial | random.choice | multinomial
cast | Tensor.to | ndarray.astype | cast
clone | clone | copy | clone
item | Tensor.item | ndarray.item | –
add | add | add | add
sub | sub | subtract | sub
mul | mul | multiply | mul
div | div | divide | div
floorDivide | floor_divide | floor_divide | floorDiv
remainder | remainder | remainder | mod
pow | pow | power | pow
square | square | square | square
sqrt | sqrt | sqrt | sqrt
rsqrt | rsqrt | – | rsqrt
reciprocal | reciprocal | reciprocal | reciprocal
neg | neg | negative | neg
abs | abs | abs | abs
sign | sign | sign | sign
floor | floor | floor | floor
ceil | ceil | ceil | ceil
round | round | round | round
trunc | trunc | trunc | –
clamp | clamp | clip | clipByValue
exp | exp | exp | exp
expm1 | expm1 | expm1 | expm1
log | log | log | log
log1p | log1p | log1p | log1p
log2 | log2 | log2 | –
sin | sin | sin | sin
cos | cos | cos | cos
tan | tan | tan | tan
atan2 | atan2 | arctan2 | atan2
erf | erf | – | erf
maximum | maximum | maximum | maximum
minimum | minimum | minimum | minimum
equal | eq | equal | equal
notEqual | ne | not_equal | notEqual
less | lt | less | less
lessEqual | le | less_equal | lessEqual
greater | gt | greater | greater
greaterEqual | ge | greater_equal | greaterEqual
logicalAnd | logical_and | logical_and | logicalAnd
logicalOr | logical_or | logical_or | logicalOr
logicalNot | logical_not | logical_not | logicalNot
isNaN | isnan | isnan | isNaN
isFinite | isfinite | isfinite | isFinite
allClose | allclose | allclose | –
where | where | where | where
maskedFill | Tensor.masked_fill | – | –
sum | sum | sum | sum
mean | mean | mean | mean
prod | prod | prod | prod
max | amax | max | max
min | amin | min | min
argmax | argmax | argmax | argMax
argmin | argmin | argmin | argMin
all | all | all | all
any | any | any | any
norm | linalg.vector_norm | linalg.norm | norm
normalize | F.normalize | – | –
variance | var | var | moments
std | std | std | –
logSumExp | logsumexp | – | logSumExp
cumsum | cumsum | cumsum | cumsum
cumprod | cumprod | cumprod | cumprod
cummax | cummax | maximum.accumulate | –
sort | sort | sort | –
argSort | argsort | argsort | –
topK | topk | – | topk
unique | unique | unique | unique
nonzero | nonzero | argwhere | whereAsync
reshape | reshape | reshape | reshape
flatten | flatten | ravel | –
permute | permute | transpose | transpose
transpose | transpose | swapaxes | –
moveAxis | movedim | moveaxis | –
expandDims | unsqueeze | expand_dims | expandDims
squeeze | squeeze | squeeze | squeeze
broadcastTo | broadcast_to | broadcast_to | broadcastTo
contiguous | Tensor.contiguous | ascontiguousarray | –
slice | narrow | – | slice
stridedSlice | x[1:5:2, :] | x[1:5:2, :] | stridedSlice
split | split | split | split
unstack | unbind | – | unstack
concat | cat | concatenate | concat
stack | stack | stack | stack
tile | tile | tile | tile
repeat | repeat_interleave | repeat | –
pad | F.pad | pad | pad
flip | flip | flip | reverse
roll | roll | roll | –
tril | tril | tril | –
triu | triu | triu | –
diagonal | diagonal | diagonal | –
trace | trace | trace | –
take | index_select | take | gather
gather | gather | take_along_axis | –
scatter | scatter_reduce | put_along_axis | –
embedding | F.embedding | – | –
write | Tensor.copy_ | copyto | –
matmul | matmul | matmul | matMul
linear | F.linear | – | –
outer | outer | outer | outerProduct
tensordot | tensordot | tensordot | –
einsum | einsum | einsum | einsum
softmax | F.softmax | – | softmax
logSoftmax | F.log_softmax | – | logSoftmax
layerNorm | F.layer_norm | – | layers.layerNormalization
rmsNorm | F.rms_norm | – | –
groupNorm | F.group_norm | – | –
relu | F.relu | – | relu
leakyRelu | F.leaky_relu | – | leakyRelu
elu | F.elu | – | elu
gelu | F.gelu | – | –
silu | F.silu | – | –
mish | F.mish | – | –
glu | F.glu | – | –
sigmoid | sigmoid | – | sigmoid
logSigmoid | F.logsigmoid | – | logSigmoid
softplus | F.softplus | – | softplus
tanh | tanh | tanh | tanh
dropout | F.dropout | – | dropout
crossEntropy | F.cross_entropy | – | losses.softmaxCrossEntropy
stopGradient | Tensor.detach | – | –
grad | func.grad | – | grad
valueAndGrad | func.grad_and_value | – | valueAndGrad
vjp | func.vjp | – | –
jvp | func.jvp | – | –
jacobian | func.jacrev | – | –
vmap | func.vmap | – | –
checkGradient | autograd.gradcheck | – | –
remat | utils.checkpoint.checkpoint | – | –`,
  "@qkv/tensor/convolutions": `
conv1d | F.conv1d | – | conv1d
conv2d | F.conv2d | – | conv2d
maxPool1d | F.max_pool1d | – | –
maxPool2d | F.max_pool2d | – | maxPool
avgPool1d | F.avg_pool1d | – | –
avgPool2d | F.avg_pool2d | – | avgPool`,
  "@qkv/tensor/fft": `
fft | fft.fft | fft.fft | spectral.fft
ifft | fft.ifft | fft.ifft | spectral.ifft
rfft | fft.rfft | fft.rfft | spectral.rfft
irfft | fft.irfft | fft.irfft | spectral.irfft`,
  "@qkv/tensor/initializers": `
truncatedNormal | init.trunc_normal_ | – | truncatedNormal
xavierUniform | init.xavier_uniform_ | – | initializers.glorotUniform
xavierNormal | init.xavier_normal_ | – | initializers.glorotNormal
kaimingUniform | init.kaiming_uniform_ | – | initializers.heUniform
kaimingNormal | init.kaiming_normal_ | – | initializers.heNormal`,
  "@qkv/tensor/losses": `
mseLoss | F.mse_loss | – | losses.meanSquaredError
l1Loss | F.l1_loss | – | losses.absoluteDifference
huberLoss | F.huber_loss | – | losses.huberLoss
binaryCrossEntropyWithLogits | F.binary_cross_entropy_with_logits | – | losses.sigmoidCrossEntropy
klDivergence | F.kl_div | – | –
cosineSimilarity | F.cosine_similarity | – | –
cosineEmbeddingLoss | F.cosine_embedding_loss | – | –
tripletMarginLoss | F.triplet_margin_loss | – | –`,
  "@qkv/tensor/optimizers": `
sgd | optim.SGD | – | train.sgd
adam | optim.Adam | – | train.adam
adamW | optim.AdamW | – | –
adafactor | optim.Adafactor | – | –
ema | optim.swa_utils.AveragedModel | – | –
muon | optim.Muon | – | –
clipGradients | nn.utils.clip_grad_norm_ | – | –
constant | sched.ConstantLR | – | –
anneal | sched.LinearLR | – | –
cosineAnnealing | sched.CosineAnnealingLR | – | –
cosineRestarts | sched.CosineAnnealingWarmRestarts | – | –
oneCycle | sched.OneCycleLR | – | –
sequential | sched.SequentialLR | – | –`,
};

/** Functions without an equivalent in the other libraries. */
export const ours = {
  "@qkv/tensor":
    "isTensor readOf viewOf checkTensor run runAll runNamed withBackward js count sizeOf broadcastShapes broadcastStrides bytesPerElement mapTensors tensorsOf splitSeed resident causalConv scatterUpdate swiglu swish Tensor".split(
      " ",
    ),
  "@qkv/tensor/losses": ["infoNce"],
  "@qkv/tensor/optimizers":
    "lion orthogonalize paramGroups linearWarmup cosine warmupCosine wsd inverseSqrt".split(" "),
};

/**
 * The rows of the table.
 *
 * @returns {{ entry: string, name: string, torch: string, numpy: string, tfjs: string }[]} An empty string if there is none.
 */
export function names() {
  return Object.entries(tables).flatMap(([entry, text]) =>
    text
      .trim()
      .split("\n")
      .map((row) => {
        const [name, torch, numpy, tfjs] = row.split(" | ").map((one) => (one === "–" ? "" : one));
        return { entry, name, torch, numpy, tfjs };
      }),
  );
}

/** The page: one table for each entry point. */
export function namesPage() {
  const code = (text) => (text === "" ? "" : `\`${text}\``);
  const rows = names();
  const sections = Object.keys(tables).map((entry) => {
    const lines = rows
      .filter((row) => row.entry === entry)
      .map(
        ({ name, torch, numpy, tfjs }) =>
          `| [\`${name}\`](/api/${entry}/#${name.toLowerCase()}) | ${code(torch)} | ${code(numpy)} | ${code(tfjs)} |`,
      );
    return `## \`${entry}\`

| here | PyTorch | NumPy | TensorFlow.js |
| --- | --- | --- | --- |
${lines.join("\n")}`;
  });
  return `---
title: Names in PyTorch, NumPy and TensorFlow.js
sidebar_position: 11
hide_table_of_contents: true
description: The name here of each function of PyTorch, NumPy and TensorFlow.js that has one.
---

{/* Made by scripts/names.mjs. */}

# Which function here is the one that I know?

Find the name that you know. The functions of one row do the same, but not always with the same arguments: options are an object here, an axis is \`axis\`, random functions take a \`seed\`, and nothing but \`write\` and the optimizers changes a tensor. PyTorch's names are in \`torch\`; \`F\` is \`torch.nn.functional\`, \`init\` is \`torch.nn.init\`, \`optim\` is \`torch.optim\` and \`sched\` is \`torch.optim.lr_scheduler\`. NumPy's are in \`numpy\`, TensorFlow.js' in \`tf\`.

${sections.join("\n\n")}

## What is left out

Transposed convolutions, interpolation and adaptive pools, recurrent layers but the GRU, the CTC loss, and the special functions \`erfinv\`, \`lgamma\` and \`digamma\`. \`npm run conformance -- --only torch-more\` compares the functions here with PyTorch's numbers and lists what it skips.
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(page, namesPage());
